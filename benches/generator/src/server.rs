//! What the servers' processes cost, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::Failure;

/// The processor time of all their threads that there are.
pub(crate) fn processor(pids: &[u32]) -> Result<Duration, Failure> {
    pids.iter().map(|pid| processor_of(*pid)).sum()
}

fn processor_of(pid: u32) -> Result<Duration, Failure> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
        let time = statistics.split_whitespace().next().unwrap_or_default();
        nanoseconds += time.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The bytes of memory that they have.
pub(crate) fn memory(pids: &[u32]) -> Result<u64, Failure> {
    pids.iter().map(|pid| memory_of(*pid)).sum()
}

fn memory_of(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = kilobytes.ok_or("the status has no VmRSS")?.parse()?;
    Ok(kilobytes * 1024)
}
