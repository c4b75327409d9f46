"""The client of the Hugging Face Hub: it stays quiet, and its errors become this program's errors.

The module knows the environment variables that a user may set for the hub, and the ways in which
requests fail. It does not know caches or what is requested.
"""

import contextlib
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trmsolve.errors import NetworkError, TrmsolveError, UsageError, WeightsError
from trmsolve.hub.address import Address
from trmsolve.wording import package_version

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ENVIRONMENT = "HF_ENDPOINT, HF_TOKEN, the proxy, or another hub setting in the environment"
PROXY_LOGIN = 407
"""The status of a proxy that wants a login."""

LOG_IN = "log in with 'hf auth login'"


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """Turn errors of an import of the library, which reads the environment, into NetworkError.

    Import its modules here and not names from the package: the package prints such errors to
    standard output.
    """
    try:
        yield
    except ValueError:
        raise _unusable_environment() from None


def constants() -> ModuleType:
    """The library's settings. Raises NetworkError if the environment makes no sense."""
    with understood():
        import huggingface_hub.constants
    return huggingface_hub.constants


@contextlib.contextmanager
def connected(
    address: Address, *, watched: bool = True, writing: bool = False
) -> Iterator["HfApi"]:
    """The hub's client; what fails inside is raised with a text for the user.

    Progress is shown only if ``watched``, and only in a terminal. ``writing`` says that something
    is published to ``address``, which changes what a refusal means. Errors that do not come from
    the network, such as a full disk, are raised as they are.
    """
    with understood():
        from huggingface_hub import constants, errors  # noqa: F401
        from huggingface_hub.hf_api import HfApi

    watched = watched and sys.stderr is not None and sys.stderr.isatty()
    _set_up_library(watched)
    with warnings.catch_warnings():
        if not watched:
            warnings.simplefilter("ignore")
        _check_environment()
        try:
            yield HfApi(
                endpoint=constants.ENDPOINT,
                library_name="trmsolve",
                library_version=package_version(),
            )
        except TrmsolveError:
            raise
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise not_the_hub(constants.ENDPOINT) from None
        except Exception as error:
            raise _for_user(error, address, writing) or error from None


def bounded_bar(most_bytes: int, too_many: TrmsolveError) -> type[Any]:
    """A progress bar for one download that raises ``too_many`` once there are more bytes.

    The library writes to the disk whatever a server sends, and tells only its bar.
    """
    from huggingface_hub.utils.tqdm import tqdm

    class BoundedBar(tqdm):
        received = 0

        def update(self, number: float | None = 1) -> Any:
            self.received += int(number or 0)
            if self.received > most_bytes:
                raise too_many
            return super().update(number)

    return BoundedBar


def not_the_hub(endpoint: str) -> NetworkError:
    """The error for an answer that the hub would not give."""
    return NetworkError(
        f"the server at {endpoint} is not the hub: check the network or HF_ENDPOINT"
    )


def _set_up_library(watched: bool) -> None:
    """Turn off telemetry, and also progress bars and warnings unless somebody watches."""
    from huggingface_hub import constants
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    constants.HF_HUB_DISABLE_TELEMETRY = True
    is_decided_by_user = constants.HF_HUB_DISABLE_PROGRESS_BARS is not None
    if watched and not is_decided_by_user:
        enable_progress_bars()
    if not watched and not is_decided_by_user:
        disable_progress_bars()
    # The exceptions say what is wrong, so that not even errors need be logged.
    hub_logging.set_verbosity(logging.WARNING if watched else logging.CRITICAL)


def _check_environment() -> None:
    """Raise NetworkError if the environment makes a request impossible.

    The request is built and not sent, so that whatever fails here is not the network's fault. The
    text of the error is dropped, since it may hold a secret.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined]

    try:
        get_session().build_request("GET", constants.ENDPOINT, headers=build_hf_headers())
    except Exception:
        raise _unusable_environment() from None


def _unusable_environment() -> NetworkError:
    return NetworkError(f"{ENVIRONMENT}, is invalid: correct or unset it")


def _for_user(error: Exception, address: Address, writing: bool) -> TrmsolveError | None:
    """The error with a text for the user; None for one that does not come from the network."""
    from huggingface_hub import constants, errors

    # The library passes on what its HTTP client raises. That is httpx or its successor, so the
    # errors are recognised by an ancestor that they share.
    any_http_error = errors.HfHubHTTPError.__bases__[0]
    if not isinstance(error, (any_http_error, errors.EntryNotFoundError, OSError, RuntimeError)):
        return None
    # A file was looked for locally because the hub could not be asked: the cause says why.
    cause: BaseException = error
    while isinstance(cause, errors.LocalEntryNotFoundError) and cause.__cause__ is not None:
        cause = cause.__cause__
    refused = _refused(cause, address, writing)
    return refused or _failed(cause, constants.ENDPOINT)


def _status(error: BaseException) -> int | None:
    """The HTTP status of the hub's answer, if there was one."""
    from huggingface_hub import errors

    return error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None


def _refused(error: BaseException, address: Address, writing: bool) -> TrmsolveError | None:
    """The error for a request that the hub understood and refused; None for other errors."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{address.repo}"
    status = _status(error)
    is_missing = isinstance(error, errors.RepositoryNotFoundError)
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(f"{address} is gated: accept its terms on {page}, then {LOG_IN}")
    if writing and (status in (401, 403) or is_missing):
        return UsageError(
            f"you have no write access to {address}: {LOG_IN}, as a user and with a "
            "token that has write access"
        )
    if is_missing:
        return WeightsError(f"{page} does not exist or is private: check the name, or {LOG_IN}")
    if status == 401:
        return WeightsError(
            f"the hub does not accept your token: {LOG_IN} again, or unset HF_TOKEN"
        )
    if isinstance(error, errors.DisabledRepoError) or status == 403:
        return WeightsError(f"the hub denies access to {address}: see {page}")
    return None


def _failed(error: BaseException, endpoint: str) -> TrmsolveError | None:
    """The error for a hub that fails or cannot be reached; None for an error of the system."""
    status = _status(error)
    told = f"{type(error).__name__} {error}"
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return NetworkError(
            f"the TLS certificate of {endpoint} is not trusted: check the clock, or name the "
            "certificates of your network in SSL_CERT_FILE"
        )
    if status == PROXY_LOGIN or ("Proxy" in told and str(PROXY_LOGIN) in told):
        return NetworkError(
            "the proxy wants a login: give it in HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT"
        )
    if status is not None:
        return NetworkError(f"{endpoint} returned error {status}: try again later")
    if isinstance(error, OSError) and error.errno is not None:
        return None
    if "Timeout" in type(error).__name__:
        return NetworkError(
            f"{endpoint} did not answer in time: check the network, or try again later"
        )
    return NetworkError(
        f"{endpoint} cannot be reached or the connection was lost: check the network, "
        "or use --offline for cached files"
    )
