"""Results by C-STORE, and what the answers of a peer mean; DICOM PS3.4 B.2.3, PS3.7 C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from breastseg.dicom.node.config import DicomDestination
from breastseg.dicom.node.sending import Outcome
from breastseg.dicom.node.tls import client_context, connection_trouble

if TYPE_CHECKING:
    from pynetdicom.association import Association

_TRANSFER_SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
_WARNINGS = (0x0001, 0x0107, 0x0116)
_FINAL = {
    0x0105: "no such attribute",
    0x0106: "invalid attribute value",
    0x0111: "it has the object already, with other content",
    0x0117: "invalid object instance",
    0x0122: "it does not take objects of this class",
    0x0124: "not authorised",
}

_NO_CONTEXT = Outcome("refused", "it accepts no presentation context for objects of this class")
_OTHER_SYNTAX = Outcome("refused", "it accepts none of the transfer syntaxes that it was offered")


class DicomSender:
    """Sends over one association a call."""

    def __init__(self, destination: DicomDestination) -> None:
        self._to = destination
        known, own = destination.authorities, destination.certificate
        self._tls = None if known is None else client_context(known, own)

    def __call__(self, files: Sequence[Path]) -> Iterator[Outcome]:
        """Send them; see the protocol."""
        from pydicom import dcmread

        # of one after the other, so that only one is held at a time
        classes = [
            str(dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"]).SOPClassUID)
            for file in files
        ]
        association = self._associated({*classes})
        if association is None or not association.is_established:
            outcome = self._why_not(association)
            yield from (outcome for _ in files)
            return
        taken = {str(one.abstract_syntax): one for one in association.accepted_contexts}
        try:
            for file, sop_class in zip(files, classes, strict=True):
                if sop_class not in taken:
                    yield _NO_CONTEXT
                elif taken[sop_class].transfer_syntax[0] not in _TRANSFER_SYNTAXES:
                    yield _OTHER_SYNTAX
                elif association.is_established:
                    yield outcome_of(association.send_c_store(dcmread(file)).get("Status"))
                else:  # it may have been the object before this one that the peer could not bear
                    return
        finally:
            if association.is_established:
                association.release()

    def _associated(self, classes: set[str]) -> Association | None:
        """An association, made or not; None where the peer's name is not known."""
        from breastseg.dicom.node.calling import Caller

        to = self._to
        entity = Caller(to)
        for uid in sorted(classes):
            entity.add_requested_context(uid, _TRANSFER_SYNTAXES)
        tls = None if self._tls is None else (self._tls, to.host)
        try:
            return entity.associate(to.host, to.port, ae_title=to.ae_title, tls_args=tls)
        except OSError:
            return None

    def _why_not(self, association: Association | None) -> Outcome:
        if association is not None and association.is_rejected:
            answer = association.acceptor.primitive
            reason = "" if answer is None else f" ({answer.reason_str})"
            return Outcome("later", f"association rejected{reason}")
        if association and association.rejected_contexts and not association.accepted_contexts:
            return _NO_CONTEXT
        otherwise = f"it ended it, or did not answer within {self._to.timeout_s:g} s"
        trouble = getattr(association and association.dul.socket, "why", "")
        trouble = trouble or connection_trouble(self._to, self._tls) or otherwise
        return Outcome("later", f"no association: {trouble}")


def outcome_of(status: int | None) -> Outcome:
    """What the status of a C-STORE response means; None where none came."""
    if status is None:
        return Outcome("later", "no answer: the connection was lost, or it took too long")
    said = f"status 0x{status:04X}"
    if status == 0:
        return Outcome("sent")
    if status >> 12 == 0xB or status in _WARNINGS:
        return Outcome("sent", f"stored with a warning, {said}")
    if status in _FINAL:
        return Outcome("refused", f"{_FINAL[status]}, {said}")
    if status >> 8 == 0xA9 or status >> 12 == 0xC:
        return Outcome("refused", f"it cannot make sense of it, {said}")
    return Outcome("later", f"out of resources, {said}" if status >> 8 == 0xA7 else said)
