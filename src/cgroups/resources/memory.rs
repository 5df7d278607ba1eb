//! Pure: `linux.resources.memory`, where swap is counted with memory on v1 and by itself on v2.

use super::{RESOURCES, Step, Steps};
use crate::cgroups::plan::Place;
use crate::error::{Error, Result};
use crate::spec;

impl Steps {
    /// All of `memory`.
    pub(super) fn memory(&mut self, memory: &spec::Memory, places: &[Place]) -> Result<()> {
        let limit = bytes(memory.limit, "limit")?;
        let swap = bytes(memory.swap, "swap")?;
        self.memory_and_swap(limit, swap, memory.check_before_update == Some(true), places)?;
        match bytes(memory.reservation, "reservation")? {
            None => {}
            Some(-1) => {
                let files = (("memory.soft_limit_in_bytes", "-1"), ("memory.low", "max"));
                self.lift(("memory", "memory/reservation"), places, files);
            }
            Some(bytes) => {
                let target = self.target("memory", places, "memory/reservation")?;
                let file = if target.unified { "memory.low" } else { "memory.soft_limit_in_bytes" };
                self.limits.push(target.write(file, &bytes));
            }
        }
        self.memory_of_the_kernel(memory, places)?;
        self.memory_of_v1(memory, places)
    }

    fn memory_and_swap(
        &mut self,
        limit: Option<i64>,
        swap: Option<i64>,
        check: bool,
        places: &[Place],
    ) -> Result<()> {
        const NO_SWAP_LIMIT: ((&str, &str), (&str, &str)) =
            (("memory.memsw.limit_in_bytes", "-1"), ("memory.swap.max", "max"));
        let Some(limit) = limit else {
            match swap {
                None => {}
                Some(-1) => self.lift(("memory", "memory/swap"), places, NO_SWAP_LIMIT),
                Some(_) => {
                    let text = "needs a memory limit, which it includes";
                    return Err(Error::config(format!("{RESOURCES}/memory/swap"), text));
                }
            }
            return Ok(());
        };
        if limit == -1 && swap.is_none_or(|swap| swap == -1) {
            // No limit of memory means none of swap either, unless one is given.
            let swap = self.lifted(("memory", "memory/swap"), places, NO_SWAP_LIMIT);
            let files = (("memory.limit_in_bytes", "-1"), ("memory.max", "max"));
            let limit = self.lifted(("memory", "memory/limit"), places, files);
            self.together(swap.into_iter().chain(limit).collect());
            return Ok(());
        }
        if swap.is_some_and(|swap| swap != -1 && (swap < limit || limit == -1)) {
            let text = "is less than the memory limit, which it includes";
            return Err(Error::config(format!("{RESOURCES}/memory/swap"), text));
        }
        let target = self.target("memory", places, "memory/limit")?;
        let swap_target = self.target("memory", places, "memory/swap")?;
        if !target.unified {
            let memory = target.value("memory.limit_in_bytes", &limit);
            let file = "memory.memsw.limit_in_bytes";
            let both = swap.map(|swap| match swap {
                -1 => swap_target.optional(file, &swap),
                swap => swap_target.value(file, &swap),
            });
            self.together(std::iter::once(memory).chain(both).collect());
            return Ok(());
        }
        if check {
            self.limits.push(Step::Check { file: target.directory.join("memory.current"), limit });
        }
        self.limits.extend(swap.map(|swap| {
            Step::Write(match swap {
                // A kernel without swap accounting lets nobody swap, or does not count it.
                -1 => swap_target.optional("memory.swap.max", &"max"),
                swap if swap == limit => swap_target.optional("memory.swap.max", &0),
                swap => swap_target.value("memory.swap.max", &(swap - limit)),
            })
        }));
        self.limits.push(target.write("memory.max", &limit));
        Ok(())
    }

    /// What is counted as memory anyway since Linux 5.16, but for the buffers of TCP on v1.
    fn memory_of_the_kernel(&mut self, memory: &spec::Memory, places: &[Place]) -> Result<()> {
        let without_effect = |member: &str| {
            format!(
                "linux.resources.memory.{member} has no effect: Linux counts kernel memory as memory"
            )
        };
        if bytes(memory.kernel, "kernel")?.is_some() {
            self.warnings.push(without_effect("kernel"));
        }
        if let Some(bytes) = bytes(memory.kernel_tcp, "kernelTCP")? {
            match self.find("memory", places, &format!("{RESOURCES}/memory/kernelTCP")) {
                Some(target) if !target.unified => {
                    let file = "memory.kmem.tcp.limit_in_bytes";
                    self.limits.push(match bytes {
                        -1 => Step::Write(target.optional(file, &bytes)),
                        bytes => target.write(file, &bytes),
                    });
                }
                _ => self.warnings.push(without_effect("kernelTCP")),
            }
        }
        if memory.use_hierarchy == Some(false) {
            let warning = "linux.resources.memory.useHierarchy has no effect: Linux always counts \
                the memory of children";
            self.warnings.push(warning.to_owned());
        }
        Ok(())
    }

    /// What cgroup v2 has no counterpart of.
    fn memory_of_v1(&mut self, memory: &spec::Memory, places: &[Place]) -> Result<()> {
        const INSTEAD: &str = "cgroup v2 has nothing like it";
        // Engines write -1 for "as it is", which an unsigned number shows as its highest.
        let swappiness = memory.swappiness.filter(|swappiness| *swappiness != u64::MAX);
        if swappiness.is_some_and(|swappiness| swappiness > 100) {
            let pointer = format!("{RESOURCES}/memory/swappiness");
            return Err(Error::config(pointer, "is more than 100"));
        }
        if let Some(swappiness) = swappiness {
            let member = ("memory/swappiness", INSTEAD);
            let target = self.legacy_target("memory", places, member)?;
            self.limits.push(target.write("memory.swappiness", &swappiness));
        }
        match memory.disable_oom_killer {
            Some(true) => {
                let member = ("memory/disableOOMKiller", INSTEAD);
                let target = self.legacy_target("memory", places, member)?;
                self.limits.push(target.write("memory.oom_control", &1));
            }
            Some(false) if self.live => {
                let pointer = format!("{RESOURCES}/memory/disableOOMKiller");
                let target = self.find("memory", places, &pointer);
                let target = target.filter(|target| !target.unified);
                let enabled = target.map(|target| target.optional("memory.oom_control", &0));
                self.limits.extend(enabled.map(Step::Write));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Bytes as asked for; 0 is how engines say nothing, -1 is no limit.
fn bytes(value: Option<i64>, member: &str) -> Result<Option<i64>> {
    match value {
        None | Some(0) => Ok(None),
        Some(value) if value < -1 => {
            let text = format!("{value} is neither a number of bytes nor -1");
            Err(Error::config(format!("{RESOURCES}/memory/{member}"), text))
        }
        some => Ok(some),
    }
}
