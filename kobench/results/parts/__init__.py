"""The parts of a record.

Every other module reads and writes records through these classes; docs/records.md and
docs/records.schema.json are made from them.
"""

from kobench.results.parts.record import Record, Result
from kobench.results.parts.run import (
    Planned,
    PlannedSeeds,
    RunEnvironment,
    RunInfo,
    RunLimits,
    RunSandbox,
)
from kobench.results.parts.scores import (
    Calibration,
    DrawnEvents,
    DrawnGroups,
    DrawnValue,
    MetricScore,
    PermutedScores,
    SampledPoints,
    TaskScores,
)
from kobench.results.parts.trial import (
    DatasetInfo,
    Keys,
    PredictorInfo,
    SecretSeed,
    SplitInfo,
    TrialInfo,
)

__all__ = [
    "Calibration",
    "DatasetInfo",
    "DrawnEvents",
    "DrawnGroups",
    "DrawnValue",
    "Keys",
    "MetricScore",
    "PermutedScores",
    "Planned",
    "PlannedSeeds",
    "PredictorInfo",
    "Record",
    "Result",
    "RunEnvironment",
    "RunInfo",
    "RunLimits",
    "RunSandbox",
    "SampledPoints",
    "SecretSeed",
    "SplitInfo",
    "TaskScores",
    "TrialInfo",
]
