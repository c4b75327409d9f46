"""``trmsolve`` and ``python -m trmsolve``: hands over to the commands."""

from trmsolve.cli import app


def main() -> None:
    """Run the command line."""
    app(prog_name="trmsolve")


if __name__ == "__main__":
    main()
