"""New job: a form that asks what the method needs, and says what would become of the job before anybody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.model.data_files import DataState
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.data_files import every_file
from cloudmr.services.jobs import get_job, shown_document
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor
from mroptimum.task import CoilMapMethod, MaskMethod, Method, NoiseSource, ReconstructionName

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several, as a person chooses it: how it works in a sentence, its formula, and where it is from."""

    name: str
    title: str
    text: str
    formula: str = ""
    source: str = ""


METHODS = (
    Choice(
        name=Method.AC,
        title="Analytic",
        text="Noise is propagated through the reconstruction in closed form. Exact and quick; the first choice.",
        formula="SNR = √2 · |m| / √(uᴴ Ψ u)",
        source="Kellman & McVeigh 2005, doi:10.1002/mrm.20713",
    ),
    Choice(
        name=Method.PMR,
        title="Pseudo multiple replicas",
        text="Noise of the measured covariance is added many times; a check of everything, on any reconstruction.",
        formula="SNR = |m| / sd(m₁ … m_NR)",
        source="Robson 2008, doi:10.1002/mrm.21728",
    ),
    Choice(
        name=Method.CR,
        title="Generalised pseudo replicas",
        text="Few replicas, and the spread over a box around each voxel.",
        formula="SNR = |m| / sd over a box of residuals",
        source="Wiens 2011, doi:10.1002/mrm.22893",
    ),
    Choice(
        name=Method.MR,
        title="Multiple replicas",
        text="Real repetitions of the scan: mean over spread, voxel by voxel.",
        formula="SNR = |mean| / sd",
        source="the definition itself",
    ),
    Choice(
        name=Method.DIFFERENCE,
        title="Difference of two images",
        text="For two images without raw data. Not valid with parallel imaging.",
        formula="SNR = √2 · mean / sd(S₁ − S₂)",
        source="NEMA MS 1",
    ),
)
RECONSTRUCTIONS = (
    Choice(name=ReconstructionName.RSS, title="Root sum of squares", text="No coil maps needed."),
    Choice(name=ReconstructionName.B1, title="B1-weighted", text="The best linear combination, given coil maps."),
    Choice(name=ReconstructionName.SENSE, title="SENSE", text="Unfolds accelerated scans with coil maps."),
    Choice(name=ReconstructionName.GRAPPA, title="GRAPPA", text="Fills missing lines from their neighbours."),
    Choice(name=ReconstructionName.SCANNER, title="The scanner's own", text="DICOM or NIfTI images; difference only."),
)
COIL_MAPS = {
    CoilMapMethod.INNER: "from the calibration lines, or the whole k-space (default)",
    CoilMapMethod.INNER_ACL: "from the central calibration lines only",
    CoilMapMethod.ESPIRIT: "ESPIRiT (Uecker 2014)",
    CoilMapMethod.WALSH: "adaptive (Walsh 2000)",
    CoilMapMethod.INATI: "adaptive, iterative (Inati)",
    CoilMapMethod.BODYCOIL: "ratio to a body-coil scan",
}
MASKS = {
    MaskMethod.NO: "none: every voxel",
    MaskMethod.PERCENTAGE: "signal at least a percentage of the maximum",
    MaskMethod.THRESHOLD: "SNR at least a value",
    MaskMethod.REFERENCE: "from the reference image of the coil maps",
    MaskMethod.ESPIRIT: "ESPIRiT's eigenvalues",
    MaskMethod.UPLOAD: "a mask from a file",
}
ESTIMATES = {
    NoiseSource.REPETITIONS: "estimated from two repetitions",
    NoiseSource.KSPACE_EDGE: "estimated from the edge of k-space (biased; warned)",
    NoiseSource.IMAGE_CORNERS: "estimated from image corners (biased; warned)",
}


@router.get("/new-job")
def new_job_page(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    signal: Annotated[IdText, Query()] = "",
    like: Annotated[IdText, Query()] = "",
) -> Response:
    """Show the form, with a data file chosen if one is named, or filled in like a job."""
    files = [view for view in every_file(brain, visitor.caller) if view.data_file.state is DataState.READY]
    context = {
        "files": files,
        "signal": signal,
        "like": _document(brain, visitor.caller, like) if like else None,
        "methods": METHODS,
        "reconstructions": RECONSTRUCTIONS,
        "coil_maps": COIL_MAPS,
        "masks": MASKS,
        "estimates": ESTIMATES,
        "known": [
            {
                "id": view.data_file.id,
                "filename": view.data_file.filename,
                "bucket": view.unit.data_bucket,
                "key": view.data_file.key,
            }
            for view in files
        ],
    }
    return render(request, "new_job.html", context)


def _document(brain: Brain, caller: Caller, job_id: str) -> dict[str, Any]:
    document = shown_document(get_job(brain, caller, job_id))
    return {"task": document.task, "output": document.output}
