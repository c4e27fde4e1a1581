//! Metrics that are read where they live at the moment they are asked for.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crds::ObjectKey;

use crate::aws::Meter;
use crate::queue::Queue;
use crate::status_store::StatusStore;

/// What the status board knows.
#[derive(Debug)]
pub(super) struct FromBoard(pub(super) StatusStore);

impl Collector for FromBoard {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut services = encoder.encode_descriptor(
            "longshore_service_info",
            "Every service with its status",
            None,
            MetricType::Gauge,
        )?;
        for object in self.0.services() {
            let sync = format!("{:?}", object.status.sync);
            let health = format!("{:?}", object.status.health);
            let labels = [
                ("target", object.key.target.as_str()),
                ("cluster", object.key.cluster.as_str()),
                ("service", object.key.name.as_str()),
                ("sync", sync.as_str()),
                ("health", health.as_str()),
            ];
            ConstGauge::new(1_i64).encode(services.encode_family(&labels)?)?;
        }
        self.encode_sources(&mut encoder)?;
        self.encode_releases(encoder)
    }
}

impl FromBoard {
    fn encode_releases(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut infos = encoder.encode_descriptor(
            "longshore_release_info",
            "Every release with the version it has chosen",
            None,
            MetricType::Gauge,
        )?;
        for object in self.0.releases() {
            let version = object.status.chosen.as_ref().map_or("", |chosen| &chosen.version);
            let labels = [("release", object.name.as_str()), ("version", version)];
            ConstGauge::new(1_i64).encode(infos.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn encode_sources(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let now = self.0.now();
        let sources = self.0.sources();
        let mut ages = encoder.encode_descriptor(
            "longshore_source_age_seconds",
            "How long ago a source was last read completely",
            None,
            MetricType::Gauge,
        )?;
        for source in &sources {
            if let Some(age) = source.age_seconds(now) {
                let labels = [("source", source.name.as_str())];
                ConstGauge::new(age).encode(ages.encode_family(&labels)?)?;
            }
        }
        let mut errors = encoder.encode_descriptor(
            "longshore_source_error",
            "1 while a source cannot be read",
            None,
            MetricType::Gauge,
        )?;
        for source in &sources {
            let labels = [("source", source.name.as_str())];
            let failing = i64::from(source.error.is_some());
            ConstGauge::new(failing).encode(errors.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What was asked of AWS and what it cost in waiting.
#[derive(Debug)]
pub(super) struct FromMeter(pub(super) Meter);

impl Collector for FromMeter {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let reading = self.0.read();
        let mut requests = encoder.encode_descriptor(
            "longshore_aws_requests",
            "Calls to AWS, by what came back",
            None,
            MetricType::Counter,
        )?;
        for ((operation, code), count) in &reading.requests {
            let labels = [
                ("service", operation.service()),
                ("operation", operation.name()),
                ("code", code.as_str()),
            ];
            ConstCounter::new(*count).encode(requests.encode_family(&labels)?)?;
        }
        let mut waits = encoder.encode_descriptor(
            "longshore_aws_throttle_wait_seconds",
            "Time that calls waited for their turn under the rate that is kept",
            None,
            MetricType::Counter,
        )?;
        for (family, wait) in &reading.waits {
            let labels = [("family", family.name())];
            ConstCounter::new(wait.waited.as_secs_f64()).encode(waits.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// How full the queue is.
#[derive(Debug)]
pub(super) struct FromQueue(pub(super) Queue<ObjectKey>);

impl Collector for FromQueue {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let depth = self.0.depth();
        let labels = [("name", "service")];
        let gauges = [
            ("workqueue_depth", "Keys that are due and wait for a worker", depth.due),
            ("workqueue_waiting", "Keys that wait for their time", depth.waiting),
            ("workqueue_working", "Keys that are being worked on", depth.working),
        ];
        for (name, help, value) in gauges {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        let counters = [
            ("workqueue_adds", "Keys put into the queue", depth.added),
            ("workqueue_retries", "Keys put back after a failure", depth.retried),
        ];
        for (name, help, value) in counters {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What the kernel knows of this process. Where there is no `/proc` these are left out.
#[derive(Debug)]
pub(super) struct FromProc;

/// The kernel reports times to user space in hundredths of a second on every architecture that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

impl Collector for FromProc {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let read = |file| std::fs::read_to_string(file).ok();
        if let Some(bytes) = read("/proc/self/status").as_deref().and_then(resident_bytes) {
            let gauge = ConstGauge::new(bytes);
            gauge.encode(encoder.encode_descriptor(
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                None,
                MetricType::Gauge,
            )?)?;
        }
        if let Some(seconds) = read("/proc/self/stat").as_deref().and_then(cpu_seconds) {
            let counter = ConstCounter::new(seconds);
            counter.encode(encoder.encode_descriptor(
                "process_cpu_seconds",
                "CPU time that the process has used",
                None,
                MetricType::Counter,
            )?)?;
        }
        Ok(())
    }
}

/// `VmRSS` of `/proc/<pid>/status`.
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// User and system time of `/proc/<pid>/stat`: the 12th and 13th fields after the name, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut ticks = fields.split(' ').skip(11);
    let user: u32 = ticks.next()?.parse().ok()?;
    let system: u32 = ticks.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read_by_their_rules() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t  2048 kB\nThreads: 1\n"), Some(2_097_152));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        let stat = "42 (a ) b) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 100 1000 500";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_a_size_and_a_cpu_time() {
        let text = crate::http::metrics::Metrics::new(
            StatusStore::new(jiff_epoch),
            Meter::default(),
            Queue::new(1),
            "0",
        )
        .expose(crate::http::metrics::Exposition::OpenMetrics)
        .unwrap();
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit_once(' ').unwrap().1.parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1_000_000.0);
        assert!(value("process_cpu_seconds_total ") >= 0.0);
    }

    fn jiff_epoch() -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}
