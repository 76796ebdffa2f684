"""The plant: one virtual patient with one perfusion circuit, as physics without instruments."""

from simulator.plant.abdomen import SITES
from simulator.plant.parameters import Parameters
from simulator.plant.plant import Plant

__all__ = ["SITES", "Parameters", "Plant"]
