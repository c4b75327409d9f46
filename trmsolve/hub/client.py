"""The client of the Hugging Face Hub, as this program uses it: quiet, and its errors told in this program's words.

Knows the environment that a user sets for it, and how it fails; nothing of caches, or what is asked
for.
"""

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from trmsolve import __version__
from trmsolve.errors import NetworkError, TrmsolveError, UsageError, WeightsError
from trmsolve.hub.address import Address

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ENVIRONMENT = "HF_ENDPOINT, HF_TOKEN, the proxy, or what else the environment sets for the hub"


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """Around an import of the library, which reads the environment: NetworkError if that makes no sense.

    Imported are its modules: what is asked of the package as a whole prints such errors to standard
    output.
    """
    try:
        yield
    except ValueError:
        raise _not_usable() from None


def constants() -> ModuleType:
    """What the environment has decided. Raises NetworkError if it makes no sense."""
    with understood():
        import huggingface_hub.constants
    return huggingface_hub.constants


@contextlib.contextmanager
def connected(
    address: Address, *, watched: bool = True, writing: bool = False
) -> Iterator["HfApi"]:
    """The hub; shows progress only if ``watched`` in a terminal.

    Raises what is worded for the user.

    An error that is not of the network, such as a full disk, stays what it is.
    """
    with understood():
        from huggingface_hub import constants, errors
        from huggingface_hub.hf_api import HfApi
        from huggingface_hub.utils import build_hf_headers, get_session, logging  # type: ignore[attr-defined]
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    constants.HF_HUB_DISABLE_TELEMETRY = True
    watched = watched and sys.stderr is not None and sys.stderr.isatty()
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is None:  # else the user's environment has decided
        (enable_progress_bars if watched else disable_progress_bars)()
    logging.set_verbosity(
        30 if watched else 50
    )  # warnings, or nothing: what is wrong is told by the exceptions
    with warnings.catch_warnings():
        if not watched:
            warnings.simplefilter("ignore")
        try:
            # Made and not sent: what fails here is not of the network. The error's text may hold a
            # secret.
            get_session().build_request("GET", constants.ENDPOINT, headers=build_hf_headers())
        except Exception:
            raise _not_usable() from None
        try:
            yield HfApi(
                endpoint=constants.ENDPOINT, library_name="trmsolve", library_version=__version__
            )
        except TrmsolveError:
            raise
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise not_the_hub(constants.ENDPOINT) from None
        except Exception as error:
            # The library raises what its client raises, which is httpx or its successor: known by a
            # common ancestor.
            network = (
                errors.HfHubHTTPError.__bases__[0],
                errors.EntryNotFoundError,
                OSError,
                RuntimeError,
            )
            told = (
                _worded(error, address, constants.ENDPOINT, writing)
                if isinstance(error, network)
                else None
            )
            raise told or error from None


def not_the_hub(endpoint: str) -> NetworkError:
    """For an answer that the hub would not give."""
    return NetworkError(
        f"what answers at {endpoint} is not the hub: check the network, or HF_ENDPOINT"
    )


def _not_usable() -> NetworkError:
    return NetworkError(f"{ENVIRONMENT}, is not usable: correct or unset it")


def _worded(
    error: BaseException, address: Address, endpoint: str, writing: bool
) -> TrmsolveError | None:
    """The error for the user; None for one that is not of the network, such as a full disk."""
    from huggingface_hub import errors

    page, login = f"{endpoint}/{address.repo}", "log in with 'hf auth login'"
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return _worded(
            error.__cause__, address, endpoint, writing
        )  # why it had to be looked for locally
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(f"{address} is gated: accept its terms on {page}, then {login}")
    if writing and (status in (401, 403) or isinstance(error, errors.RepositoryNotFoundError)):
        return UsageError(
            f"you may not write to {address}: {login} as somebody who may, with a token that may write"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsError(f"there is no {page}, or it is private: check the name, or {login}")
    if status == 401:
        return WeightsError(f"the hub does not accept your token: {login} anew, or unset HF_TOKEN")
    if isinstance(error, errors.DisabledRepoError) or status == 403:
        return WeightsError(f"the hub does not give out {address}: see {page}")
    if status is not None:
        return NetworkError(f"{endpoint} answers with error {status}: try again later")
    if isinstance(error, OSError) and error.errno is not None:
        return None
    if "Timeout" in type(error).__name__:
        return NetworkError(
            f"{endpoint} does not answer in time: check the network, or try again later"
        )
    return NetworkError(
        f"{endpoint} cannot be reached, or broke off: check the network; --offline takes what is cached"
    )
