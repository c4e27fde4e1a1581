//! How much CPU and memory a task may have (aws.md §4.2).

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject, TASK};
use super::words::{is_open, quoted};

/// One CPU size of Fargate, in CPU units, and the memory sizes in MiB that go with it.
struct Size {
    cpu: i64,
    memory: Memory,
    /// On which operating systems and platform versions it exists.
    exists: Exists,
}

enum Memory {
    These(&'static [i64]),
    Steps { from: i64, to: i64, step: i64 },
}

#[derive(PartialEq)]
enum Exists {
    Everywhere,
    Linux,
    /// Platform version 1.4.0 and later.
    LinuxRecent,
}

const SIZES: &[Size] = &[
    Size { cpu: 256, memory: Memory::These(&[512, 1024, 2048]), exists: Exists::Linux },
    Size { cpu: 512, memory: steps(1024, 4096, 1024), exists: Exists::Linux },
    Size { cpu: 1024, memory: steps(2048, 8192, 1024), exists: Exists::Everywhere },
    Size { cpu: 2048, memory: steps(4096, 16384, 1024), exists: Exists::Everywhere },
    Size { cpu: 4096, memory: steps(8192, 30720, 1024), exists: Exists::Everywhere },
    Size { cpu: 8192, memory: steps(16384, 61440, 4096), exists: Exists::LinuxRecent },
    Size { cpu: 16384, memory: steps(32768, 122_880, 8192), exists: Exists::LinuxRecent },
    Size {
        cpu: DISPUTED_CPU,
        memory: Memory::These(&[61440, 122_880, 249_856]),
        exists: Exists::LinuxRecent,
    },
];

/// The size that AWS's guide lists and its API text does not (aws.md §8).
const DISPUTED_CPU: i64 = 32768;

/// The CPU units that a task may have on container instances.
const INSTANCE_CPU: std::ops::RangeInclusive<i64> = 128..=196_608;

const fn steps(from: i64, to: i64, step: i64) -> Memory {
    Memory::Steps { from, to, step }
}

impl Memory {
    /// The nearest sizes below and above an amount; both are the amount itself if it is a size.
    fn around(&self, amount: i64) -> (Option<i64>, Option<i64>) {
        match self {
            Self::These(sizes) => nearest(sizes.iter().copied(), amount),
            Self::Steps { from, to, step } => {
                let count = usize::try_from(*step).unwrap_or(1);
                nearest((*from..=*to).step_by(count), amount)
            }
        }
    }
}

/// The nearest of some ascending values below and above an amount.
fn nearest(values: impl Iterator<Item = i64>, amount: i64) -> (Option<i64>, Option<i64>) {
    let mut below = None;
    for value in values {
        if value == amount {
            return (Some(value), Some(value));
        }
        if value > amount {
            return (below, Some(value));
        }
        below = Some(value);
    }
    (below, None)
}

/// What is nearest to an amount, as a hint; nothing if the amount itself is there.
fn hint(around: (Option<i64>, Option<i64>)) -> Option<String> {
    match around {
        (Some(below), Some(above)) if below == above => None,
        (Some(below), Some(above)) => Some(format!("nearest are {below} and {above}")),
        (Some(one), None) | (None, Some(one)) => Some(format!("the nearest is {one}")),
        (None, None) => Some(String::new()),
    }
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let cpu = amount(subject, "cpu", found);
    let memory = amount(subject, "memory", found);
    if subject.is_fargate {
        fargate(subject, cpu, memory, found);
    } else if let Some(cpu) = cpu.known() {
        on_instances(cpu, found);
    }
}

/// An amount as it stands in the spec.
#[derive(Clone, Copy)]
enum Amount {
    Absent,
    /// A reference, or something that was reported.
    Unknown,
    Known(i64),
}

impl Amount {
    fn known(self) -> Option<i64> {
        match self {
            Self::Known(amount) => Some(amount),
            Self::Absent | Self::Unknown => None,
        }
    }
}

/// The task's CPU units, where they can be read.
pub(super) fn task_cpu(subject: &Subject<'_>) -> Option<i64> {
    subject.task.cpu.as_ref().and_then(|quantity| units(quantity.as_str(), "vcpu"))
}

/// The task's memory in MiB, where it can be read.
pub(super) fn task_memory(subject: &Subject<'_>) -> Option<i64> {
    subject.task.memory.as_ref().and_then(|quantity| units(quantity.as_str(), "gb"))
}

/// Whether Fargate has tasks of a size; `None` where an amount cannot be read.
pub(super) fn fits_fargate(cpu: &str, memory: &str) -> Option<bool> {
    let (cpu, memory) = (units(cpu, "vcpu")?, units(memory, "gb")?);
    let size = SIZES.iter().find(|size| size.cpu == cpu);
    Some(size.is_some_and(|size| hint(size.memory.around(memory)).is_none()))
}

fn amount(subject: &Subject<'_>, member: &str, found: &mut Vec<Finding>) -> Amount {
    let (quantity, suffix, example) = match member {
        "cpu" => (&subject.task.cpu, "vcpu", "`512` CPU units or `0.5 vCPU`"),
        _ => (&subject.task.memory, "gb", "`1024` MiB or `1 GB`"),
    };
    let Some(quantity) = quantity else { return Amount::Absent };
    let text = quantity.as_str();
    if is_open(text) {
        return Amount::Unknown;
    }
    if let Some(amount) = units(text, suffix) {
        return Amount::Known(amount);
    }
    found.push(
        error(format!("{TASK}.{member}"), format!("`{text}` is not an amount of {member}"))
            .hint(format!("write it like {example}")),
    );
    Amount::Unknown
}

/// `1 vCPU`, `.5 vcpu` and `2GB` in the small unit; `None` for what is no whole number of it.
#[allow(clippy::cast_possible_truncation, reason = "without a fraction and far below 2^53")]
fn units(text: &str, suffix: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let small = match lower.strip_suffix(suffix) {
        Some(number) => number.trim().parse::<f64>().ok()? * 1024.0,
        None => lower.parse::<f64>().ok()?,
    };
    (small.fract() == 0.0 && (1.0..1e12).contains(&small)).then_some(small as i64)
}

fn fargate(subject: &Subject<'_>, cpu: Amount, memory: Amount, found: &mut Vec<Finding>) {
    if matches!(cpu, Amount::Absent) {
        let sizes = quoted(SIZES.iter().filter(|size| exists(subject, size)).map(|size| size.cpu));
        found.push(
            error(format!("{TASK}.cpu"), "is missing, and Fargate needs the cpu of the whole task")
                .hint(format!("use one of {sizes}")),
        );
    }
    if matches!(memory, Amount::Absent) {
        found.push(missing_memory(cpu));
    }
    let Some(cpu) = cpu.known() else { return };
    let Some(size) = fargate_cpu(subject, cpu, found) else { return };
    if let Some(memory) = memory.known()
        && let Some(hint) = hint(size.memory.around(memory))
    {
        found.push(
            error(
                format!("{TASK}.memory"),
                format!("`{memory}` MiB is not a size that Fargate has with {cpu} CPU units"),
            )
            .hint(hint),
        );
    }
}

fn missing_memory(cpu: Amount) -> Finding {
    let finding = error(
        format!("{TASK}.memory"),
        "is missing, and Fargate needs the memory of the whole task",
    );
    let size = cpu.known().and_then(|cpu| SIZES.iter().find(|size| size.cpu == cpu));
    match size.and_then(|size| size.memory.around(0).1) {
        Some(least) => finding.hint(format!("the least with this cpu is {least}")),
        None => finding,
    }
}

/// The row of a CPU size; reports one that does not exist where the task would run.
fn fargate_cpu(subject: &Subject<'_>, cpu: i64, found: &mut Vec<Finding>) -> Option<&'static Size> {
    let path = format!("{TASK}.cpu");
    let sizes = SIZES.iter().filter(|size| exists(subject, size));
    let Some(size) = SIZES.iter().find(|size| size.cpu == cpu) else {
        let nearest = hint(nearest(sizes.map(|size| size.cpu), cpu)).unwrap_or_default();
        found.push(
            error(path, format!("`{cpu}` CPU units are not a size that Fargate has")).hint(nearest),
        );
        return None;
    };
    if !exists(subject, size) {
        let nearest = hint(nearest(sizes.map(|size| size.cpu), cpu)).unwrap_or_default();
        found.push(
            error(path, format!("`{cpu}` CPU units are not a size that Fargate has for Windows"))
                .hint(nearest),
        );
        return None;
    }
    if cpu == DISPUTED_CPU {
        found.push(warning(
            path,
            format!("`{cpu}` CPU units are a size that AWS's guide lists and its API does not; ECS may refuse it"),
        ));
    }
    if size.exists == Exists::LinuxRecent
        && let Some(version) = subject.older_platform()
    {
        found.push(
            error(
                format!("{SERVICE}.platformVersion"),
                format!("`{version}` has no tasks of {cpu} CPU units"),
            )
            .hint("use `1.4.0` or `LATEST`"),
        );
    }
    Some(size)
}

fn exists(subject: &Subject<'_>, size: &Size) -> bool {
    size.exists == Exists::Everywhere || !subject.is_windows
}

fn on_instances(cpu: i64, found: &mut Vec<Finding>) {
    if !INSTANCE_CPU.contains(&cpu) {
        let (least, most) = (INSTANCE_CPU.start(), INSTANCE_CPU.end());
        found.push(
            error(
                format!("{TASK}.cpu"),
                format!("`{cpu}` CPU units are not within {least} to {most}"),
            )
            .hint(format!("the nearest is {}", cpu.clamp(*least, *most))),
        );
    }
}
