"""results.py - what was measured, and what it has to be: targets.toml says that."""

import dataclasses
import pathlib
import statistics
import tomllib

AT_THE_LIMIT = 1.03  # a peer that close to the limit cannot be left behind


@dataclasses.dataclass
class Target:
    program: str
    name: str
    group: str
    limit: float | None = None
    peer: float | None = None
    plus: float | None = None
    at_most: float | None = None
    figures: dict = dataclasses.field(default_factory=dict)
    over: dict = dataclasses.field(default_factory=dict)


def load_targets():
    file = pathlib.Path(__file__).with_name("targets.toml")
    group, targets = "", []
    for program, rows in tomllib.loads(file.read_text()).items():
        for name, wishes in rows.items():
            if name == "title":
                group = wishes
            else:
                targets.append(Target(program, name, group, **wishes))
    return targets


class Variant:
    """One of those that were measured: its numbers as medians, and the spread of the first."""

    def __init__(self, data, more_is_better, figures):
        self.name, self.kind, self.failures = data["name"], data["kind"], data["failures"]
        # Somebody else's crash, once, is not the end of the row; ours is.
        borne = 0 if self.kind in ("ours", "limit") else 1
        self.failure = data["failure"] if self.failures > borne or not data["samples"] else ""
        self.more_is_better = more_is_better
        self.samples = [sample[0] for sample in data["samples"]]
        if self.samples:
            self.value = statistics.median(self.samples)
            self.spread = statistics.median(abs(sample - self.value) for sample in self.samples)
            columns = list(zip(*data["samples"]))[1:]
            self.figures = {name: statistics.median(column) for name, column in zip(figures, columns)}

    def cost(self, value):
        return 1 / max(value, 1e-12) if self.more_is_better else value

    def ratio(self, other):
        return self.cost(self.value) / other.cost(other.value)

    def position(self, other):
        """Outside the spread: the median absolute deviations of both."""
        apart = abs(self.value - other.value) > self.spread + other.spread
        return "level" if not apart else "ahead" if self.ratio(other) < 1 else "behind"


class Row:
    def __init__(self, target, data):
        self.target, self.data, self.name = target, data, target.name
        self.title, self.unit, self.failure = data["title"], data["unit"], None
        self.figures = dict(figure.split(", ") for figure in data["figures"])
        self.variants = [Variant(one, self.unit.endswith("/s"), self.figures) for one in data["variants"]]
        good = [one for one in self.variants if not one.failure]
        self.ours = next((one for one in good if one.kind == "ours"), None)
        self.limit = next((one for one in good if one.kind == "limit"), None)
        self.peers = sorted((one for one in good if one.kind == "peer"), key=lambda one: one.cost(one.value))
        self.others = [one for one in good if one.kind == "other"]
        self.best = next((one for one in self.peers if not self.starving(one)), None)

    @classmethod
    def failed(cls, target, failure):
        row = cls(target, {"title": "", "unit": "", "figures": [], "variants": []})
        row.failure = failure
        return row

    def starving(self, variant):
        """Whether it misses a figure of the target, and misses it by more than we do."""
        ours = self.ours.figures if self.ours else {}
        return any(variant.figures[name] > max(most, ours.get(name, 0)) for name, most in self.target.figures.items())

    def to_limit(self):
        return self.ours.ratio(self.limit) if self.ours and self.limit else None

    def to_best(self):
        return self.ours.ratio(self.best) if self.ours and self.best else None

    def position(self):
        return self.ours.position(self.best) if self.ours and self.best else ""

    def failures(self):
        if self.failure:
            return [self.failure]
        return [f"{one.name} failed: {one.failure}" for one in self.variants if one.failure]

    def quick_complaints(self, most):
        found = self.failures()
        if self.to_best() is not None and self.to_best() > most:
            found.append(f"{self.to_best():.2f} times the cost of {self.best.name}")
        return found

    def complaints(self):
        found = self.failures()
        if not self.ours:
            return found
        return found + self.not_ahead() + self.beyond()

    def not_ahead(self):
        """We must be ahead of every peer, unless the target itself lies behind the best, or that one is at the limit."""
        if not self.best or (self.target.peer or 0) >= 1 or self.position() == "ahead":
            return []
        if self.limit and self.best.ratio(self.limit) <= AT_THE_LIMIT and self.position() == "level":
            return []
        return [f"{self.position()} with {self.best.name}" if self.position() == "level" else f"behind {self.best.name}"]

    def beyond(self):
        target, found = self.target, []
        for what, ratio, most in (("limit", self.to_limit(), target.limit), ("best peer", self.to_best(), target.peer)):
            if most is not None and ratio is not None and ratio > most:
                found.append(f"{ratio:.3g} times the cost of the {what}, not {most:g}")
        if target.plus is not None and self.limit and self.ours.value > self.limit.value + target.plus:
            found.append(f"{self.ours.value - self.limit.value:.3g} {self.unit} above the limit, not {target.plus:g}")
        if target.at_most is not None and self.ours.value > target.at_most:
            found.append(f"{self.ours.value:g} {self.unit}, not {target.at_most:g}")
        for name, most in target.figures.items():
            if self.ours.figures[name] > most:
                found.append(f"{name} {self.ours.figures[name]:.3g} {self.figures[name]}, not {most:g}")
        base = next((one for one in self.peers if one.name == "pthread"), None)
        for name, most in target.over.items():
            above = self.ours.figures[name] - base.figures[name] if base else 0
            if above > most:
                found.append(f"{name}: {above:.2g} {self.figures[name]} above pthread, not {most:g}")
        return found
