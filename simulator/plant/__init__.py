"""The plant: one virtual patient with one perfusion circuit, as physics without instruments."""

from simulator.plant.abdomen import SITES
from simulator.plant.lane import Lane
from simulator.plant.parameters import Parameters
from simulator.plant.plant import Plant

AnyPlant = Plant | Lane
"""A plant of its own, or one patient of a batch that somebody else moves on."""

__all__ = ["SITES", "AnyPlant", "Lane", "Parameters", "Plant"]
