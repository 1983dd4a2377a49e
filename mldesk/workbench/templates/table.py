"""Which templates there are. Their data are synthetic: drawn by ``machines``, ``nature`` and ``people``, of nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.core.errors import NotFound
from mldesk.workbench.references import did_you_mean, listed

SOURCE = "template:"   # before a template's name, where a dataset comes from
SYNTHETIC = "The data are synthetic: made up by MLDesk from a seed, measured nowhere."
CLASSES, NUMBER = "tabular_classification", "tabular_regression"


@dataclass(frozen=True, slots=True)
class Template:
    """One project to start from."""

    name: str                           # of the dataset and the preset, too
    title: str
    about: str                          # one sentence
    icon: str                           # of the window's
    task: str
    target: str
    rows: int
    columns: Mapping[str, str]          # what each holds, with its unit
    settings: Mapping[str, Any] = field(default_factory=dict)   # fields of TrainOrder besides
    aside: tuple[str, ...] = ()         # columns that are not to be learnt from

    @property
    def source(self) -> str:
        return SOURCE + self.name

    @property
    def train(self) -> Mapping[str, Any]:
        """The settings that suit it, as a preset holds them."""
        others = [name for name in self.columns if name not in (self.target, *self.aside)]
        return {"target": self.target, "task": self.task, **({"features": others} if self.aside else {}),
                **self.settings}

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "title": self.title, "source": self.source, "about": self.about, "synthetic": True,
                "task": self.task, "target": self.target, "rows": self.rows, "columns": dict(self.columns),
                "preset": {"train": dict(self.train)}}


_ALL = (
    Template("wafer_faults", "Wafer faults", "Which wafers of a chip factory fail their test, from sensors of the "
             "machines.", "cpu", CLASSES, "faulty", 1500, {
                 "wafer": "number of the wafer", "tool": "etching machine it went through",
                 **{f"sensor_{number:02}": "reading of a sensor, in its own unit" for number in range(1, 21)},
                 "chamber_pressure_mtorr": "pressure while etching, mTorr", "chuck_temperature_c": "°C",
                 "faulty": "yes or no"},
             {"folds": 5, "parameters": {"class_weight": "balanced"}}, ("wafer",)),
    Template("concrete_strength", "Concrete strength", "How strong a concrete gets, from what is in it and how old it "
             "is.", "dataset", NUMBER, "strength_mpa", 1000, {
                 "cement_kg": "kg in a m³", "slag_kg": "kg in a m³", "fly_ash_kg": "kg in a m³",
                 "water_kg": "kg in a m³", "superplasticizer_kg": "kg in a m³", "coarse_aggregate_kg": "kg in a m³",
                 "fine_aggregate_kg": "kg in a m³", "age_days": "days since it was poured",
                 "strength_mpa": "compressive strength, MPa"}, {"folds": 5}),
    Template("card_default", "Card default", "Which holders of a credit card will miss next month's payment.",
             "lock", CLASSES, "default", 3000, {
                 "customer": "number of the customer", "limit": "credit limit, in the currency of the bill",
                 "age": "years", "education": "highest degree", "marital_status": "as said when applying",
                 "months_late_1": "months behind, last month", "months_late_2": "the month before",
                 "months_late_3": "two months before", "bill_1": "last bill", "bill_2": "the bill before",
                 "paid_1": "paid last month", "paid_2": "paid the month before", "default": "yes or no"},
             {"folds": 5}, ("customer",)),
    Template("forest_cover", "Forest cover", "Which trees grow on a patch of mountain forest, from its map.",
             "compare", CLASSES, "cover", 2500, {
                 "elevation_m": "height above the sea, m", "aspect_deg": "direction of the slope, degrees from north",
                 "slope_deg": "steepness, degrees", "to_water_m": "distance to water, m",
                 "to_road_m": "distance to a road, m", "to_fire_point_m": "distance to where a fire began, m",
                 "shade_noon": "light at noon, 0 to 255", "soil": "kind of soil", "area": "wilderness area",
                 "cover": "the tree that prevails"}),
    Template("phishing_sites", "Phishing sites", "Which web pages are made to steal passwords, from their address and "
             "content.", "warning", CLASSES, "kind", 2000, {
                 "url_length": "letters of the address", "dots": "dots in the name of the host",
                 "has_ip": "a number instead of a name: yes or no", "https": "yes or no",
                 "certificate_days": "age of its certificate, days", "domain_age_days": "age of the domain, days",
                 "top_level": "end of the domain", "outside_links_pct": "links that lead elsewhere, %",
                 "form_elsewhere": "a form is sent to another site: yes or no", "popups": "windows it opens",
                 "monthly_visits": "visits a month, as far as known", "kind": "phishing or legitimate"}),
    Template("climate_visibility", "Climate visibility", "How far one can see at an airport, hour by hour, from the "
             "weather.", "sun", NUMBER, "visibility_km", 2400, {
                 "time": "hour of the reading", "temperature_c": "°C", "dew_point_c": "°C",
                 "relative_humidity_pct": "%", "wind_speed_kmh": "km/h", "wind_direction": "where it comes from",
                 "pressure_hpa": "hPa", "rain_mm": "in the hour before, mm", "visibility_km": "km, at most 16"},
             {"split": "time", "split_column": "time"}),
    Template("truck_pressure", "Truck pressure", "Which trucks in the workshop have a fault of the air pressure "
             "system; few have.", "settings", CLASSES, "air_system_fault", 4000, {
                 "truck": "number of the truck", "model_year": "year", "odometer_km": "km driven",
                 "compressor_starts_per_h": "how often it starts in an hour", "compressor_duty_pct": "time it runs, %",
                 "tank_pressure_bar": "mean, bar", "pressure_drop_bar_h": "loss while parked, bar an hour",
                 "dryer_temperature_c": "of the air dryer, °C",
                 **{f"histogram_{number}": "hours in one range of pressure" for number in range(6)},
                 "air_system_fault": "yes, or no for any other fault"},
             {"folds": 5, "parameters": {"class_weight": "balanced"}}, ("truck",)),
    Template("text_sentiment", "Text sentiment", "Whether a short review is glad or cross, from its words.",
             "type-text", CLASSES, "sentiment", 1500, {
                 "review": "what somebody wrote", "product": "of what", "sentiment": "positive or negative"},
             {"estimator": "linear"}, ("product",)),
)
TEMPLATES: Mapping[str, Template] = {template.name: template for template in _ALL}


def find(name: str) -> Template:
    """Return a template. Raises NotFound with the nearest names."""
    if name not in TEMPLATES:
        raise NotFound(f"There is no template {name!r:.60}.",
                       hint=did_you_mean(name, TEMPLATES) or f"Templates: {listed(TEMPLATES)}.")
    return TEMPLATES[name]
