"""Hostile bytes meet other people's decoders only in here: whatever those raise, warn of or print ends as one sentence.

Decoders are known to raise nearly every class there is (struct.error, KeyError, RuntimeError, zlib.error, …), and libtiff
and others print to file descriptor 2 on their own.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from PIL import Image

from recon.errors import BadInput, UnflatError
from recon.messages import Message, first_line

_ONE_AT_A_TIME = threading.RLock()
"""The filters, Pillow's limit and descriptor 2 belong to the whole process."""
LONGEST_REASON = 120
"""Characters of a decoder's own words: some quote the file."""


@contextmanager
def decoding(code: str, sentence: str, **values: object) -> Iterator[None]:
    """Any failure inside becomes a BadInput of this code and sentence, in which {reason} is the decoder's own first line;
    nothing inside is heard on stderr.

    Pillow's own pixel limit is off inside: callers check ours (Limits.max_pixels) before they decode.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings(), _unheard():
        warnings.simplefilter("ignore")
        pillows_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        except UnflatError:
            raise
        except Exception as error:
            raise BadInput(code, sentence, reason=first_line(error)[:LONGEST_REASON], **values) from None
        finally:
            Image.MAX_IMAGE_PIXELS = pillows_limit


def decoding_picture(named: Message) -> AbstractContextManager[None]:
    """The same for a picture's bytes."""
    return decoding(
        "picture.damaged", "{named} breaks off or is damaged ({reason}); save or download it again.", named=named
    )


@contextmanager
def _unheard() -> Iterator[None]:
    """File descriptor 2 leads nowhere inside."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed already
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
