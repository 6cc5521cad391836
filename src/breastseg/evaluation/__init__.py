"""Run a segmenter over cases with ground truth, and report how well it did."""

from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.evaluation.report import write_report
from breastseg.evaluation.run import Evaluation, evaluate
from breastseg.evaluation.score import ImageScore
from breastseg.evaluation.statistics import Interval, mean_interval, ratio_intervals
from breastseg.evaluation.summary import Figure, Group, Summary, summarise

__all__ = [
    "Evaluation",
    "Figure",
    "Group",
    "ImageScore",
    "Interval",
    "Prompting",
    "Protocol",
    "Summary",
    "evaluate",
    "mean_interval",
    "ratio_intervals",
    "summarise",
    "write_report",
]
