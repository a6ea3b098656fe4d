"""Sessions in the layout of NWB 2, written by h5py, with what a reader must find in them, computed by numpy and scipy.

    python3 tests/data/nwb/make.py fixtures          the files of this folder, and examples/reaching.nwb
    python3 tests/data/nwb/make.py random 7 FOLDER   FOLDER/session.nwb and FOLDER/session.json, drawn by the seed 7

Debian: python3-h5py, python3-scipy.
"""

import json
import os
import sys

import h5py
import numpy as np
from scipy.ndimage import gaussian_filter1d

HERE = os.path.dirname(os.path.abspath(__file__))


class Layout:
    """How datasets lie in a file."""

    def __init__(self, packed=False, latest=False, fixed_text=False, spikes="f8", index="u8", chunk=50, compression="gzip", cached=False):
        self.packed, self.latest, self.fixed_text = packed, latest, fixed_text
        self.spikes, self.index, self.chunk, self.compression = spikes, index, chunk, compression
        self.cached = cached

    def put(self, group, name, data):
        data = np.asarray(data)
        if data.dtype.kind == "U":
            if self.fixed_text:
                data = np.array([text.encode() for text in data], dtype="S")
            else:
                data = data.astype(h5py.string_dtype())
        options = {}
        if self.packed and data.ndim > 0 and data.size > 0:
            chunks = (min(self.chunk, len(data)),) + data.shape[1:]
            options = dict(chunks=chunks, maxshape=(None,) + data.shape[1:], compression=self.compression)
            if data.dtype.kind in "fiu":
                options.update(shuffle=True, fletcher32=True)
        return group.create_dataset(name, data=data, **options)

    def ragged(self, group, name, rows, dtype):
        flat = np.concatenate([np.asarray(row, dtype) for row in rows]) if rows else np.array([], dtype)
        self.put(group, name, flat)
        self.put(group, name + "_index", np.cumsum([len(row) for row in rows]).astype(self.index))


def write(path, session, layout):
    """Writes a session: a dict of units, electrodes, trials."""
    with h5py.File(path, "w", libver="latest" if layout.latest else "earliest") as f:
        f.attrs["nwb_version"] = "2.6.0"
        f.attrs["neurodata_type"] = "NWBFile"
        if layout.cached:
            # The schema as pynwb stores it, and a reference to it.
            core = f.create_group("specifications/core/2.6.0")
            core["namespace"] = '{"namespaces": []}'
            f["specifications/hdmf-common/1.6.0/namespace"] = '{"namespaces": []}'
            f.attrs[".specloc"] = f["specifications"].ref
            # Groups that are always there, links to what is elsewhere, and a record with references.
            f.create_group("acquisition")["video"] = h5py.ExternalLink("video.nwb", "/acquisition/video")
            f["acquisition/again"] = h5py.SoftLink("/session_description")
            f.create_group("analysis")["lost"] = h5py.SoftLink("/nowhere")
            span = np.dtype([("idx_start", "i4"), ("count", "i4"), ("timeseries", h5py.ref_dtype)])
            f["acquisition/spans"] = np.array([(0, 3, f["specifications"].ref)], span)
        f["session_description"] = "simulated spike trains"
        f["identifier"] = os.path.basename(path)
        f["session_start_time"] = "2026-01-01T00:00:00+00:00"

        places = session.get("electrodes")
        groups = sorted(set(session["groups"])) if "groups" in session else sorted(set(places["group_name"])) if places else []
        if groups:
            ephys = f.create_group("general/extracellular_ephys")
            for name in groups:
                ephys.create_group(name).attrs["location"] = name.replace("shank-", "")
        if places:
            table = ephys.create_group("electrodes")
            table.attrs["colnames"] = list(places)
            layout.put(table, "id", np.arange(len(places["location"])) + 100)
            for name, values in places.items():
                layout.put(table, name, values)

        units = f.create_group("units")
        units.attrs["colnames"] = ["spike_times"]
        n = len(session["spikes"])
        layout.put(units, "id", session["ids"])
        layout.ragged(units, "spike_times", session["spikes"], layout.spikes)
        if "unit_electrodes" in session:
            layout.ragged(units, "electrodes", session["unit_electrodes"], "i8")
            units["electrodes"].attrs["table"] = f["general/extracellular_ephys/electrodes"].ref
        if "groups" in session:
            refs = np.array([f["general/extracellular_ephys/" + name].ref for name in session["groups"]], dtype=h5py.ref_dtype)
            units.create_dataset("electrode_group", data=refs, dtype=h5py.ref_dtype)
        for name, values in session.get("unit_columns", {}).items():
            layout.put(units, name, values)
        if "observed" in session:
            pairs = [pair for row in session["observed"] for pair in row]
            layout.put(units, "obs_intervals", np.array(pairs, "f8").reshape(-1, 2))
            layout.put(units, "obs_intervals_index", np.cumsum([len(row) for row in session["observed"]]).astype(layout.index))

        if "trials" in session:
            trials = f.create_group("intervals/trials")
            columns = session["trials"]
            trials.attrs["colnames"] = list(columns)
            count = len(columns["start_time"])
            layout.put(trials, "id", np.arange(count))
            for name, values in columns.items():
                layout.put(trials, name, values)
            # What is no column of one value a row: a matrix, and a ragged one.
            layout.put(trials, "cursor", np.zeros((count, 2)))
            layout.ragged(trials, "touches", [[0.5] * (k % 3) for k in range(count)], "f8")
            if layout.cached:
                trials["timeseries"] = np.array([(k, 1, f["acquisition"].ref) for k in range(count)], span)
                trials["timeseries_index"] = np.arange(1, count + 1, dtype="u1")
                trials["linked"] = h5py.SoftLink("/intervals/trials/start_time")


def spikes_of(session, k, layout):
    return np.sort(np.asarray(session["spikes"][k], layout.spikes).astype("f8"))


def areas(session):
    """What most electrodes of a unit say; the first of these where several do."""
    found = []
    for k in range(len(session["spikes"])):
        rows = session["unit_electrodes"][k] if "unit_electrodes" in session else []
        # An empty location falls back on the name of the electrode's group.
        names = [session["electrodes"]["location"][row] or session["electrodes"]["group_name"][row] for row in rows]
        if names:
            found.append(max(names, key=names.count))
        elif "groups" in session:
            found.append(session["groups"][k].replace("shank-", ""))
        else:
            found.append("unknown")
    return found


def window(session, layout, event, first, last, dt, deviation, area):
    """Counts by numpy's search, rates by scipy's filter, of spikes around the window too."""
    times = np.asarray(session["trials"][event], "f8")
    rows = np.flatnonzero(~np.isnan(times))
    steps = int(round((last - first) / dt))
    units = [k for k, name in enumerate(areas(session)) if name == area]
    radius = int(4 * deviation / dt + 0.5) if deviation > 0 else 0
    counts = np.zeros((len(rows), steps, len(units)))
    rates = np.zeros_like(counts)
    for a, row in enumerate(rows):
        edges = times[row] + (first + np.arange(-radius, steps + radius + 1) * dt) / 1000
        for b, unit in enumerate(units):
            binned = np.diff(np.searchsorted(spikes_of(session, unit, layout), edges, side="left")).astype("f8")
            counts[a, :, b] = binned[radius : radius + steps]
            smooth = gaussian_filter1d(binned, deviation / dt, mode="constant", truncate=4.0) if deviation > 0 else binned
            rates[a, :, b] = smooth[radius : radius + steps] * 1000 / dt
    return dict(
        event=event, first=first, last=last, dt=dt, deviation=deviation, area=area, rows=rows.tolist(), shape=list(counts.shape),
        counts=counts.ravel().tolist(), rates=rates.ravel().tolist(),
    )


def plain(values):
    values = np.asarray(values)
    if values.dtype.kind == "U":
        return values.tolist()
    return [None if np.isnan(x) else float(x) for x in values.astype("f8")]


def expected(path, session, layout, windows):
    """What a reader must find."""
    n = len(session["spikes"])
    linked = [("linked", session["trials"]["start_time"])] if layout.cached else []
    first = windows[0]["rows"]
    labelled = {}
    for name in session.get("labelled", []):
        values = np.asarray(session["trials"][name])[first]
        levels, labels = np.unique(values, return_inverse=True)
        labelled[name] = labels.tolist()
    with open(path, "w") as out:
        json.dump(
            dict(
                ids=[int(k) for k in session["ids"]], areas=areas(session), spikes=[spikes_of(session, k, layout).tolist() for k in range(n)],
                electrodes=[[int(row) for row in rows] for rows in session.get("unit_electrodes", [[]] * n)],
                trials={name: plain(values) for name, values in [*session["trials"].items(), *linked]},
                units={name: plain(values) for name, values in session.get("unit_columns", {}).items()},
                labels=labelled, windows=windows,
            ),
            out,
        )
        out.write("\n")


def small():
    """Four units, of which one has electrodes in two areas and one in none; five trials, of which one has no go cue."""
    random = np.random.RandomState(4)
    return dict(
        ids=[11, 12, 17, 20],
        spikes=[np.sort(np.round(random.uniform(0, 12, n), 4)) for n in (60, 35, 0, 20)],
        electrodes=dict(location=["PMd", "M1", "M1", ""], group_name=["shank-a", "shank-b", "shank-b", "shank-c"]),
        unit_electrodes=[[0], [1, 2, 0], [], [3]],
        unit_columns=dict(quality=["good", "mua", "good", "good"], depth=[100.0, 250.5, 300.0, 420.0]),
        trials=dict(
            start_time=[0.5, 2.5, 4.5, 6.5, 8.5],
            stop_time=[2.0, 4.0, 6.0, 8.0, np.nan],
            go_cue_time=[1.0, 3.1, np.nan, 7.05, 9.2],
            direction=["right", "left", "left", "right", "left"],
            contrast=np.array([0.5, 0.25, 1.0, 0.25, 0.5], "f4"),
            block=np.array([2, 2, 10, 10, 2], "i2"),
            correct=np.array([True, False, True, True, True]),
        ),
        labelled=["direction", "contrast", "block", "correct"],
    )


def reaching():
    """A delayed reach to the left or to the right: PMd prepares it from the target on, M1 moves from the go cue on."""
    random = np.random.RandomState(2)
    trials, per_area, grid = 24, 5, 0.001
    t = np.arange(0, 1.3, grid)
    start = 1.4 * np.arange(trials)
    direction = np.array(["left", "right"])[np.arange(trials) % 2]
    target, cue = 0.2, 0.7
    rise = lambda since, tau: np.where(t > since, 1 - np.exp(-np.maximum(t - since, 0) / tau), 0)
    pulse = lambda at, width: np.exp(-0.5 * ((t - at) / width) ** 2)
    trains = [[] for _ in range(2 * per_area)]
    for k in range(trials):
        sign = 1 if direction[k] == "right" else -1
        for i in range(per_area):
            prefers = 1 if i % 2 == 0 else -1
            planned = 4 + (9 if sign == prefers else 0) * (rise(target, 0.08) - rise(cue + 0.15, 0.08))
            moved = 3 + (26 if sign == prefers else 8) * pulse(cue + 0.18 + 0.03 * i, 0.09)
            for unit, rate in ((i, planned), (per_area + i, moved)):
                times = t[random.uniform(size=len(t)) < np.maximum(rate, 0) * grid]
                trains[unit].append(np.round(start[k] + times, 3))
    return dict(
        ids=list(range(2 * per_area)),
        spikes=[np.concatenate(one) for one in trains],
        electrodes=dict(location=["PMd", "M1"], group_name=["shank-PMd", "shank-M1"]),
        unit_electrodes=[[0]] * per_area + [[1]] * per_area,
        trials=dict(
            start_time=np.round(start, 3), stop_time=np.round(start + 1.3, 3), target_on_time=np.round(start + target, 3),
            go_cue_time=np.round(start + cue, 3), direction=direction,
        ),
        labelled=["direction"],
    )


def fixtures():
    session = small()
    windows = lambda layout: [
        window(session, layout, "go_cue_time", -200.0, 600.0, 20.0, 50.0, "M1"),
        window(session, layout, "start_time", -500.0, 1500.0, 12.5, 0.0, "PMd"),
        window(session, layout, "stop_time", 0.1, 0.4, 0.1, 0.3, "unknown"),
    ]
    for name, layout in (
        ("plain", Layout()),
        ("packed", Layout(packed=True, latest=True, fixed_text=True, index="u1", chunk=16)),
        ("lzf", Layout(packed=True, latest=True, compression="lzf")),
    ):
        write(os.path.join(HERE, name + ".nwb"), session, layout)
        if name != "lzf":
            expected(os.path.join(HERE, name + ".json"), session, layout, windows(layout))
    groups = dict(small(), groups=["shank-S1", "shank-M1", "shank-S1", "shank-M1"], observed=[[(0.0, 12.0)], [(0.0, 5.0), (5.0, 7.0)], [(0.0, 12.0)], [(0.0, 12.0)]])
    del groups["electrodes"], groups["unit_electrodes"]
    layout = Layout(spikes="f4", index="u4")
    write(os.path.join(HERE, "groups.nwb"), groups, layout)
    expected(os.path.join(HERE, "groups.json"), groups, layout, [window(groups, layout, "start_time", 0.0, 100.0, 10.0, 20.0, "S1")])
    # A dataset that says it is long, and of which nothing is stored.
    huge = dict(small())
    write(os.path.join(HERE, "huge.nwb"), huge, Layout(latest=True, fixed_text=True))
    with h5py.File(os.path.join(HERE, "huge.nwb"), "r+", libver="latest") as f:
        del f["units/spike_times"]
        f["units"].create_dataset("spike_times", shape=(10**12,), chunks=(1000,), dtype="f8")
        f["units/spike_times_index"][:] = [10**12] * 4
    write(os.path.join(HERE, "..", "..", "..", "examples", "reaching.nwb"), reaching(), Layout(packed=True, latest=True, fixed_text=True, chunk=4000))


def random_session(seed, folder):
    random = np.random.RandomState(seed)
    pick = lambda *choices: choices[random.randint(len(choices))]
    layout = Layout(
        packed=bool(random.randint(2)), latest=bool(random.randint(2)), fixed_text=bool(random.randint(2)), spikes=pick("f8", "f4"),
        index=pick("u8", "u4", "i8", "u2"), chunk=int(pick(3, 100, 1000)), compression=pick("gzip", None), cached=seed % 2 == 0,
    )
    units, trials, places = random.randint(1, 8), random.randint(1, 12), random.randint(1, 6)
    names = ["M1", "PMd", "Höhle"][: random.randint(1, 4)]
    if layout.fixed_text:
        names = ["M1", "PMd", "S1"][: len(names)]
    start = np.cumsum(random.uniform(1, 3, trials))
    spikes = [random.uniform(-1, start[-1] + 3, random.randint(0, 400)) for _ in range(units)]
    if random.randint(2):
        spikes = [np.sort(one) for one in spikes]
    event = start + random.uniform(0, 1, trials)
    event[random.uniform(size=trials) < 0.2] = np.nan
    event[0] = start[0]
    session = dict(
        ids=random.permutation(1000)[:units],
        spikes=spikes,
        electrodes=dict(location=[names[random.randint(len(names))] for _ in range(places)], group_name=["g"] * places),
        unit_electrodes=[random.randint(0, places, random.randint(1, 4)).tolist() for _ in range(units)],
        trials=dict(
            start_time=start, stop_time=start + 1.0, event_time=event,
            side=np.array(["b", "a", "c"])[random.randint(0, 3, trials)], level=random.randint(-2, 3, trials).astype(pick("i1", "i4", "f8", "f4")),
        ),
        labelled=["side", "level"],
    )
    first, dt = float(random.randint(-300, 100)), float(pick(1.0, 5.0, 12.5, 0.3))
    last = first + dt * random.randint(1, 60)
    area = areas(session)[random.randint(units)]
    windows = [
        window(session, layout, "event_time", first, last, dt, float(pick(0.0, 0.2 * dt, 3.0 * dt)), area),
        window(session, layout, "start_time", 0.0, 200.0, 20.0, 35.0, area),
    ]
    write(os.path.join(folder, "session.nwb"), session, layout)
    expected(os.path.join(folder, "session.json"), session, layout, windows)


if __name__ == "__main__":
    if sys.argv[1:] == ["fixtures"]:
        fixtures()
    elif len(sys.argv) == 4 and sys.argv[1] == "random":
        random_session(int(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(__doc__)
