"""A session written by pynwb itself, with what a reader must find in it, computed by numpy and scipy as in make.py.

    python3 tests/data/nwb/make_pynwb.py           pynwb.nwb and pynwb.json of this folder
    python3 tests/data/nwb/make_pynwb.py FOLDER    the same there, and specifications.nwb, which also holds the schema as pynwb stores it

Needs pynwb, h5py and scipy. The file of this folder was written by pynwb 2.3.3 and hdmf 3.5.1.
"""

import os
import sys
from datetime import datetime, timezone

import numpy as np
from pynwb import NWBHDF5IO, H5DataIO, NWBFile, TimeSeries
from pynwb.ecephys import LFP, ElectricalSeries

import make


def session():
    random = np.random.RandomState(8)
    start = np.array([0.5, 2.5, 4.5, 6.5])
    return dict(
        ids=[3, 7, 8, 21],
        spikes=[np.sort(np.round(random.uniform(0, 9, n), 4)) for n in (70, 25, 1, 40)],
        electrodes=dict(location=["PMd", "PMd", "M1", "M1"], group_name=["probe-a", "probe-a", "probe-b", "probe-b"]),
        unit_electrodes=[[0, 1], [2], [3, 2, 1], [1]],
        unit_columns=dict(quality=["good", "mua", "good", "mua"], depth=[100.0, 250.5, 300.0, 420.0], is_fast=np.array([True, False, False, True])),
        trials=dict(
            start_time=start, stop_time=start + 1.5, go_cue_time=[1.0, np.nan, 5.05, 7.1], direction=["right", "left", "left", "right"],
            correct=np.array([True, False, True, True]), block=np.array([2, 2, 10, 10]),
        ),
        labelled=["direction", "block", "correct"],
        windows=[("go_cue_time", -200.0, 600.0, 20.0, 50.0, "M1"), ("start_time", -400.0, 1000.0, 12.5, 0.0, "PMd")],
    )


def write(path, s, **options):
    f = NWBFile("simulated spike trains", "pynwb", datetime(2026, 1, 1, tzinfo=timezone.utc), experimenter=["A", "B"], keywords=["simulated"])
    device = f.create_device("array", description="two probes")
    groups = {
        name: f.create_electrode_group(name, description=name, location=place, device=device)
        for name, place in (("probe-a", "PMd"), ("probe-b", "M1"))
    }
    for place, name in zip(s["electrodes"]["location"], s["electrodes"]["group_name"]):
        f.add_electrode(x=1.0, y=2.0, z=3.0, imp=1e6, location=place, filtering="none", group=groups[name])

    region = f.create_electrode_table_region([0, 2], "two of them")
    raw = np.arange(40, dtype="i2").reshape(20, 2)
    f.add_acquisition(ElectricalSeries("raw", H5DataIO(raw, compression="gzip", maxshape=(None, 2)), region, starting_time=0.0, rate=1000.0))
    behavior = f.create_processing_module("behavior", "a cursor")
    cursor = TimeSeries("cursor", np.zeros((30, 2)), unit="cm", timestamps=np.arange(30) / 3.0)
    behavior.add(cursor)
    ecephys = f.create_processing_module("ecephys", "filtered")
    ecephys.add(LFP(ElectricalSeries("lfp", np.zeros((10, 2)), f.create_electrode_table_region([1, 3], "two"), starting_time=0.0, rate=100.0)))

    for name in s["unit_columns"]:
        f.add_unit_column(name, name)
    f.add_unit_column("features", "a ragged column", index=True)
    for k, spikes in enumerate(s["spikes"]):
        columns = {name: values[k] for name, values in s["unit_columns"].items()}
        f.add_unit(
            id=s["ids"][k], spike_times=spikes, obs_intervals=[[-1.0, 4.0], [4.0, 12.0]], electrodes=s["unit_electrodes"][k],
            electrode_group=groups["probe-a" if k in (0, 3) else "probe-b"], waveform_mean=np.ones((5, 2)) * k, features=np.arange(k) / 2, **columns,
        )

    for name in s["trials"]:
        if name not in ("start_time", "stop_time"):
            f.add_trial_column(name, name)
    f.add_trial_column("touches", "a ragged column", index=True)
    f.add_trial_column("lever", "two numbers a trial")
    for k in range(len(s["trials"]["start_time"])):
        columns = {name: values[k] for name, values in s["trials"].items()}
        f.add_trial(tags=["reach", "day-1"], timeseries=[cursor], touches=[0.5] * (k % 3), lever=[0.0, 1.0], **columns)
    f.add_epoch(0.0, 9.0, ["all"])
    with NWBHDF5IO(path, "w") as io:
        io.write(f, **options)


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else make.HERE
    s, layout = session(), make.Layout()
    write(os.path.join(folder, "pynwb.nwb"), s, cache_spec=False)
    make.expected(os.path.join(folder, "pynwb.json"), s, layout, [make.window(s, layout, *one) for one in s["windows"]])
    if len(sys.argv) > 1:
        write(os.path.join(folder, "specifications.nwb"), s, cache_spec=True)
