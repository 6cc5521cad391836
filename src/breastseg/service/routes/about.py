"""``/api/about`` and ``/api/methods``: the service itself, and what it can segment with."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from breastseg import __version__
from breastseg.results.schema import NOTICE
from breastseg.retraining.task import missing_packages
from breastseg.service.caller import LOCAL, AnyoneOf, CallerOf
from breastseg.service.methods import parameter_schema
from breastseg.service.service import ServiceOf
from breastseg.service.wire import About, Method

router = APIRouter(tags=["about"])


@router.get("/about")
def get_about(service: ServiceOf, caller: AnyoneOf) -> About:
    """The service and who is asking; needs no account."""
    return About(
        version=__version__,
        notice=NOTICE,
        account=None if caller is None else caller.name,
        role=None if caller is None else caller.role,
        has_archive=service.archive.is_configured,
        has_provider=service.provider is not None,
        can_train=not missing_packages(),
        has_accounts=caller is not LOCAL,
    )


@router.get("/methods")
def list_methods(service: ServiceOf, _caller: CallerOf) -> list[Method]:
    """Every bundle and classical method, with what must be known of it and its parameters."""
    return [
        Method.model_validate(
            {
                **asdict(one.info),
                "modality": one.info.modality.value,
                "dimensions": one.info.dimensions,
                "threshold": one.threshold,
                "margins": one.margins,
                "digest": one.digest,
                "remarks": one.remarks,
                "parameters": parameter_schema(one.info.parameters),
            }
        )
        for one in service.methods.all().values()
    ]
