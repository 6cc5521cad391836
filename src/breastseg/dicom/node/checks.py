"""What a node looks at before it begins: what would go wrong later, or without a word."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Sequence

from breastseg.core.errors import InputError
from breastseg.dicom.node.config import (
    DicomDestination,
    FolderDestination,
    Listen,
    NodeConfig,
    Rule,
)
from breastseg.dicom.node.received import EXACT
from breastseg.dicom.node.send_web import server_of
from breastseg.dicom.node.tls import client_context, server_context
from breastseg.io.real_path import real_path


def check_usable(config: NodeConfig) -> None:
    """Refuse what the values of a configuration do not show one by one.

    Raises:
        InputError: a file that cannot be read, a certificate or URL that is none, a folder for
            results that cannot be written, a rule that is never reached, a peer named twice, or
            the node as its own destination.
    """
    _check_files(config)
    _check_reached(config.rules)
    where = Counter(str(one).partition(" ")[2] for one in config.destinations)
    for said, count in where.items():
        if count > 1:
            raise InputError(f"{count} destinations {said}", "one, or it gets each result twice")
    for peer in config.dicom:
        if config.listen is not None and _is_self(peer, config.listen):
            raise InputError(f"destination {peer}: is this node itself", "another")
    for web in config.dicomweb:
        server_of(web).client()
    for folder in config.folders:
        _check_folder(folder, config)


def _check_files(config: NodeConfig) -> None:
    for path in config.files:
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: cannot be read", "a file for the node's user")
    pairs = [(one.authorities, one.certificate) for one in config.dicom]
    pairs += [(one.authorities, None) for one in config.dicomweb]
    if config.audit is not None:
        pairs.append((config.audit.authorities, config.audit.certificate))
    for authorities, certificate in pairs:
        if authorities is not None:
            client_context(authorities, certificate)
    if config.listen is not None and config.listen.certificate is not None:
        server_context(config.listen)


def _check_reached(rules: Sequence[Rule]) -> None:
    for number, later in enumerate(rules):
        for before, earlier in enumerate(rules[:number]):
            same = all(
                getattr(earlier, key).casefold() in ("", getattr(later, key).casefold())
                for key in EXACT
            )
            if same and earlier.series.casefold() in later.series.casefold():
                raise InputError(
                    f"rule {number + 1} ({later.method}) is never reached: rule {before + 1} "
                    f"({earlier.method}) takes all that it would",
                    "the narrower rule first",
                    "change their order, or leave one out",
                )


def _is_self(to: DicomDestination, listen: Listen) -> bool:
    if (to.port, to.ae_title) != (listen.port, listen.ae_title):
        return False
    try:
        found = socket.getaddrinfo(to.host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False  # a name that is not known is told when something is sent
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as one:
            try:
                one.bind(address)  # which an address of another machine does not allow
            except OSError:
                continue
            return True
    return False


def _check_folder(to: FolderDestination, config: NodeConfig) -> None:
    if real_path(to.path).is_relative_to(real_path(config.folder)):
        raise InputError(f"destination {to}: lies in the node's own folder", "a folder elsewhere")
    try:
        to.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"destination {to}: {error.strerror or error}", "a folder that may be written to"
        ) from error
    if not os.access(to.path, os.W_OK | os.X_OK):
        raise InputError(f"destination {to}: may not be written", "a folder for the node's user")
