#!/usr/bin/env bash
# A cluster of one machine for the tests: munged, slurmctld and slurmd over loopback, all of it in one folder.
#
#   tests/slurm.sh start DIR   configures and starts them; prints the SLURM_CONF to use
#   tests/slurm.sh stop DIR    stops what start started, by the numbers of its processes, and waits until it has ended
#
# Needs Debian's slurm-wlm and munge, and root, as which slurmd runs jobs. Exit code 4 says that something is missing.
set -u

command=${1:-}
dir=${2:-}
if [ -z "$dir" ]; then
    echo "slurm.sh start|stop DIR" >&2
    exit 2
fi

missing() {
    echo "$1" >&2
    exit 4
}

# A port that nobody has; the second of two is the next one.
free_ports() {
    for port in $(seq 21800 2 22800); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

start() {
    for program in munged slurmctld slurmd sbatch; do
        command -v "$program" >/dev/null || missing "there is no $program here (Debian: slurm-wlm and munge)"
    done
    [ "$(id -u)" -eq 0 ] || missing "slurmd runs jobs as root only, and this is $(id -un)"
    mkdir -p "$dir"/state "$dir"/spool "$dir"/munge
    dir=$(cd "$dir" && pwd)
    host=$(hostname -s)
    port=$(free_ports)
    memory=$(awk '/MemTotal/ { print int($2 / 2048) }' /proc/meminfo)
    chmod 755 "$dir"
    chmod 711 "$dir/munge"
    head -c 1024 /dev/urandom >"$dir/munge/key"
    chmod 600 "$dir/munge/key"
    munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge.pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" || missing "munged does not start: $(tail -n 2 "$dir/munge/log")"

    cat >"$dir/slurm.conf" <<CONF
ClusterName=rflo
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
KillWait=5
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF

    export SLURM_CONF=$dir/slurm.conf
    slurmctld || missing "slurmctld does not start: $(tail -n 2 "$dir/slurmctld.log")"
    slurmd || missing "slurmd does not start: $(tail -n 2 "$dir/slurmd.log")"
    for _ in $(seq 60); do
        if [ "$(sinfo --noheader --format %T 2>/dev/null)" = idle ]; then
            echo "$SLURM_CONF"
            return
        fi
        sleep 0.5
    done
    stop
    missing "the node does not come up: $(tail -n 3 "$dir/slurmctld.log")"
}

stop() {
    export SLURM_CONF=$dir/slurm.conf
    squeue --noheader --format %A 2>/dev/null | sort -u | xargs --no-run-if-empty scancel 2>/dev/null
    for file in slurmd.pid slurmctld.pid munge.pid; do
        [ -f "$dir/$file" ] || continue
        pid=$(cat "$dir/$file")
        kill "$pid" 2>/dev/null
        for _ in $(seq 40); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.25
        done
    done
}

case $command in
start) start ;;
stop) stop ;;
*)
    echo "slurm.sh start|stop DIR" >&2
    exit 2
    ;;
esac
