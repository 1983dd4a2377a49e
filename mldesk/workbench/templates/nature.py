"""Synthetic data of materials, forests and weather."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from mldesk.workbench.templates.draws import Dice, Drawn, Numbers, named, rounded

_SOILS = ("rocky loam", "stony clay", "sandy loam", "peat", "bedrock")
_AREAS = ("North Ridge", "Lake Basin", "High Meadow", "River Canyon")
_TREES = ("spruce", "lodgepole pine", "ponderosa pine", "aspen", "douglas fir")
_WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def concrete_strength(dice: Dice) -> Drawn:
    """Strength falls with water per binder (Abrams' law, 1918) and grows with the logarithm of age."""
    cement, water = dice.normal(300.0, 85.0, 120.0, 540.0), dice.normal(182.0, 20.0, 125.0, 245.0)
    slag = np.where(dice.yes(0.55), dice.normal(110.0, 60.0, 10.0, 350.0), 0.0)
    ash = np.where(dice.yes(0.45), dice.normal(110.0, 35.0, 20.0, 200.0), 0.0)
    plasticizer = np.where(dice.yes(0.6), dice.normal(9.0, 3.5, 1.0, 30.0), 0.0)
    coarse, fine = dice.normal(970.0, 75.0, 800.0, 1145.0), dice.normal(775.0, 78.0, 590.0, 990.0)
    ages = np.asarray([1.0, 3.0, 7.0, 14.0, 28.0, 56.0, 90.0, 180.0, 365.0])
    age = ages[dice.pick([str(number) for number in ages], (1, 12, 12, 6, 40, 9, 10, 5, 5))]
    binder = cement + 0.75 * slag + 0.35 * ash
    grown = np.log1p(age) / np.log(29.0)
    strength = 118.0 / 5.2 ** (water / binder) * grown ** 0.75 + 0.45 * plasticizer - 0.004 * (coarse - 970.0)
    return {"cement_kg": rounded(cement, 1), "slag_kg": rounded(slag, 1),
            "fly_ash_kg": dice.gaps(rounded(ash, 1), 0.02), "water_kg": rounded(water, 1),
            "superplasticizer_kg": dice.gaps(rounded(plasticizer, 1), 0.04),
            "coarse_aggregate_kg": rounded(coarse, 1), "fine_aggregate_kg": dice.gaps(rounded(fine, 1), 0.01),
            "age_days": rounded(age, 0), "strength_mpa": rounded(np.maximum(strength + dice.normal(0.0, 3.2), 1.5), 2)}


def forest_cover(dice: Dice) -> Drawn:
    """Each tree has a height, a slope and a soil it likes; the one that a patch suits best grows there, mostly."""
    area = dice.pick(_AREAS, (4, 2, 3, 2))
    height = dice.normal(np.asarray([2850.0, 2700.0, 3150.0, 2250.0])[area], 210.0, 1800.0, 3800.0)
    soil = dice.pick(_SOILS, (4, 3, 3, 1, 2))
    aspect, slope = dice.between(0.0, 360.0), dice.normal(15.0, 7.5, 0.0, 52.0)
    water, road, fire = dice.skewed(210.0, 0.8), dice.skewed(1900.0, 0.7), dice.skewed(1600.0, 0.7)
    south = -np.cos(np.radians(aspect))
    shade = np.clip(212.0 + 0.9 * slope * south + dice.normal(0.0, 7.0), 60.0, 254.0)

    def suits(middle: float, width: float) -> Numbers:
        return -((height - middle) / width) ** 2

    score = np.stack([
        suits(3200.0, 330.0) + 0.8 * (soil == 0) - 0.3 * south, suits(2850.0, 320.0) + 0.5 * (soil == 2) + 0.2,
        suits(2250.0, 300.0) + 0.6 * south + 0.5 * (soil == 4),
        suits(2650.0, 260.0) + 1.3 * (water < 130.0) + 0.9 * (soil == 3) - 0.5,
        suits(2400.0, 300.0) + 0.05 * (slope - 15.0) - 0.6 * south], axis=1)
    noise = 0.18 * dice.random.gumbel(size=score.shape)
    return {"elevation_m": rounded(height, 0), "aspect_deg": rounded(np.floor(aspect), 0),
            "slope_deg": rounded(slope, 0), "to_water_m": dice.gaps(rounded(water, 0), 0.02),
            "to_road_m": rounded(road, 0),
            "to_fire_point_m": dice.gaps(rounded(fire, 0), 0.03), "shade_noon": rounded(shade, 0),
            "soil": dice.gaps(named(_SOILS, soil), 0.02), "area": named(_AREAS, area),
            "cover": named(_TREES, np.argmax(score + noise, axis=1))}


def climate_visibility(dice: Dice) -> Drawn:
    """A hundred days, hour by hour: air that is nearly wet, calm or raining is air one sees little through."""
    hours = np.arange(dice.rows, dtype=np.float64)
    front = _slow(dice, 40)      # the weather of the days, beside the hour of the day
    heat = 12.0 + 0.03 * hours / 24 + 6.0 * np.sin((hours - 9.0) * np.pi / 12) + 4.0 * front + dice.normal(0.0, 0.6)
    dew = np.minimum(heat - 0.1, 7.5 + 3.2 * _slow(dice, 30) + dice.normal(0.0, 0.5))
    humid = np.clip(100.0 * np.exp(17.6 * dew / (243.0 + dew) - 17.6 * heat / (243.0 + heat)), 15.0, 100.0)
    wind = np.maximum(0.0, 13.0 + 6.0 * _slow(dice, 12) + dice.normal(0.0, 2.0))
    pressure = 1014.0 + 6.0 * front + dice.normal(0.0, 0.5)
    rain = np.where(dice.yes(np.clip((humid - 70.0) / 60.0 - 0.15 * front, 0.0, 0.6)), dice.skewed(0.8, 0.8), 0.0)
    seen = (16.5 - 9.0 / (1.0 + np.exp(-(humid - 86.0) / 4.0)) - 2.2 * np.log1p(2.0 * rain)
            + 0.09 * np.minimum(wind, 25.0) - 0.05 * np.maximum(humid - 50.0, 0.0) + dice.normal(0.0, 1.3))
    began = datetime(2025, 9, 1)   # noqa: DTZ001 - the airport's own clock
    return {"time": [f"{began + timedelta(hours=hour):%Y-%m-%d %H:%M}" for hour in range(dice.rows)],
            "temperature_c": rounded(heat, 1), "dew_point_c": dice.gaps(rounded(dew, 1), 0.01),
            "relative_humidity_pct": dice.gaps(rounded(humid, 0), 0.02), "wind_speed_kmh": rounded(wind, 0),
            "wind_direction": dice.gaps(named(_WINDS, dice.pick(_WINDS, (2, 1, 1, 1, 3, 5, 5, 3))), 0.03),
            "pressure_hpa": dice.gaps(rounded(pressure, 1), 0.02), "rain_mm": rounded(rain, 1),
            "visibility_km": rounded(np.clip(seen, 0.1, 16.0), 1)}


def _slow(dice: Dice, hours: int) -> Numbers:
    """Return something of mean 0 and spread 1 that changes within about so many hours."""
    raw = dice.random.standard_normal(dice.rows + 3 * hours)
    ramp = np.bartlett(3 * hours + 1)
    smooth = np.convolve(raw, ramp / np.sqrt(np.sum(ramp ** 2)), mode="valid")
    return np.asarray(smooth[:dice.rows], np.float64)
