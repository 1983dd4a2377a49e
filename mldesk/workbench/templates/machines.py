"""Synthetic data of machines: wafers and trucks."""

from __future__ import annotations

import numpy as np

from mldesk.workbench.templates.draws import Dice, Drawn, highest, named, rounded


def wafer_faults(dice: Dice) -> Drawn:
    """One in eight wafers fails: two sensors drift apart, one tool is worse, or pressure is far from its middle."""
    common = dice.normal()
    sensors = [10.0 * number + (2.0 + number / 4) * (0.6 * common + 0.8 * dice.normal()) for number in range(1, 21)]
    unit = [(values - values.mean()) / values.std() for values in sensors]
    tool = dice.pick(("E1", "E2", "E3", "E4"), (3, 3, 2, 2))
    pressure, heat = dice.normal(42.0, 1.8), dice.normal(61.0, 2.2)
    score = (1.3 * np.abs(unit[3] - unit[10]) + 0.9 * unit[16] + 1.1 * (tool == 3) + 0.5 * np.abs(pressure - 42.0)
             + 0.12 * (heat - 61.0) + dice.normal(0.0, 0.55))
    return {"wafer": [f"W{number:05}" for number in range(1, dice.rows + 1)],
            "tool": named(("E1", "E2", "E3", "E4"), tool),
            **{f"sensor_{number:02}": dice.gaps(rounded(values, 3), 0.03 if number % 4 == 0 else 0.004)
               for number, values in enumerate(sensors, 1)},
            "chamber_pressure_mtorr": rounded(pressure, 2), "chuck_temperature_c": dice.gaps(rounded(heat, 1), 0.02),
            "faulty": named(("no", "yes"), highest(score, 0.12))}


def truck_pressure(dice: Dice) -> Drawn:
    """One truck in 25 has a leak or a worn compressor: it starts and runs more, and pressure falls while parked."""
    fault = dice.yes(0.04)
    worn = fault * dice.between(0.05, 0.7)      # how bad it is; slight ones look like any other truck
    year = 2024 - dice.count(6.0).clip(0, 16)
    driven = dice.skewed(38_000 * (2025 - year), 0.35)
    starts = dice.skewed(7.0 + 9.0 * worn + driven / 400_000, 0.22)
    duty = dice.normal(14.0 + 1.1 * starts + 8.0 * worn, 4.0, 2.0, 97.0)
    tank = dice.normal(9.6 - 0.9 * worn, 0.35, 5.0, 11.0)
    drop = dice.skewed(0.12 + 0.55 * worn, 0.45)
    heat = dice.normal(48.0 + 9.0 * worn, 6.0)
    hours = [dice.skewed(30.0 * np.exp(-((place - 3.2 + 1.4 * worn) ** 2) / 2.5) + 1.0, 0.3) for place in range(6)]
    return {"truck": [f"T{number:05}" for number in range(1, dice.rows + 1)], "model_year": rounded(year, 0),
            "odometer_km": rounded(driven, 0), "compressor_starts_per_h": dice.gaps(rounded(starts, 1), 0.02),
            "compressor_duty_pct": rounded(duty, 1), "tank_pressure_bar": dice.gaps(rounded(tank, 2), 0.05),
            "pressure_drop_bar_h": dice.gaps(rounded(drop, 3), 0.12),
            "dryer_temperature_c": dice.gaps(rounded(heat, 1), 0.08),
            **{f"histogram_{place}": dice.gaps(rounded(values, 1), 0.01) for place, values in enumerate(hours)},
            "air_system_fault": named(("no", "yes"), fault)}
