//! EBS volumes that a service gives to its tasks (aws.md §4.5).

use crds::ecs::service_volume::{
    ServiceManagedEbsVolumeConfiguration as EbsVolume, ServiceVolumeConfiguration,
};

use super::finding::{Finding, error};
use super::service::is_daemon;
use super::subject::{SERVICE, Subject, TASK};
use super::words::{each, has_any, is_open};

const MAX_VOLUMES: usize = 1;
const MAX_TAGS: usize = 48;

/// One type of EBS volume.
struct VolumeType {
    name: &'static str,
    /// The least and the largest size in GiB.
    gibibytes: (i32, i32),
    iops: Iops,
    has_throughput: bool,
    is_on_fargate: bool,
}

/// What a type does with a number of operations a second.
#[derive(PartialEq)]
enum Iops {
    Needed,
    Within(i32, i32),
    Refused,
}

const TYPES: &[VolumeType] = &[
    VolumeType {
        name: "gp3",
        gibibytes: (1, 16384),
        iops: Iops::Within(3000, 16000),
        has_throughput: true,
        is_on_fargate: true,
    },
    VolumeType::plain("gp2", (1, 16384)),
    VolumeType { iops: Iops::Needed, ..VolumeType::plain("io1", (4, 16384)) },
    VolumeType { iops: Iops::Needed, ..VolumeType::plain("io2", (4, 16384)) },
    VolumeType::plain("st1", (125, 16384)),
    VolumeType::plain("sc1", (125, 16384)),
    VolumeType { is_on_fargate: false, ..VolumeType::plain("standard", (1, 1024)) },
];

/// The type where none is given.
const DEFAULT_TYPE: &str = "gp3";

impl VolumeType {
    const fn plain(name: &'static str, gibibytes: (i32, i32)) -> Self {
        Self { name, gibibytes, iops: Iops::Refused, has_throughput: false, is_on_fargate: true }
    }
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let path = format!("{SERVICE}.volumeConfigurations");
    let configurations = subject.service.volume_configurations.as_deref();
    if has_any(configurations) && is_daemon(subject) {
        found.push(error(path.clone(), "is for scheduling strategy `REPLICA`, and it is `DAEMON`"));
    }
    if let Some(count) = configurations.map(<[_]>::len).filter(|count| *count > MAX_VOLUMES) {
        found.push(error(path, format!("has `{count}` volumes; a service takes {MAX_VOLUMES}")));
    }
    for (at, configuration) in each(SERVICE, "volumeConfigurations", configurations) {
        declared(subject, &at, configuration, found);
        let Some(ebs) = &configuration.managed_ebs_volume else {
            found.push(error(format!("{at}.managedEBSVolume"), "is missing"));
            continue;
        };
        let at = format!("{at}.managedEBSVolume");
        volume(subject, &at, ebs, found);
        tags(&at, ebs, found);
    }
    configured(subject, configurations.unwrap_or_default(), found);
}

/// The task definition has to leave the volume to launch.
fn declared(
    subject: &Subject<'_>,
    at: &str,
    configuration: &ServiceVolumeConfiguration,
    found: &mut Vec<Finding>,
) {
    let name = &configuration.name;
    let volumes = subject.task.volumes.as_deref().unwrap_or_default();
    if is_open(name) || volumes.iter().any(|volume| is_open(&volume.name)) {
        return;
    }
    let path = format!("{at}.name");
    match volumes.iter().find(|volume| volume.name == *name) {
        Some(volume) if volume.configured_at_launch == Some(true) => {}
        Some(_) => found.push(
            error(
                path,
                format!("`{name}` is a volume that the task definition does not leave to launch"),
            )
            .hint("set its configuredAtLaunch to true"),
        ),
        None => found.push(
            error(path, format!("`{name}` is not a volume of the task definition"))
                .hint(format!("add a volume `{name}` with configuredAtLaunch true")),
        ),
    }
}

/// A volume that is left to launch has to be given there.
fn configured(
    subject: &Subject<'_>,
    configurations: &[ServiceVolumeConfiguration],
    found: &mut Vec<Finding>,
) {
    if configurations.iter().any(|configuration| is_open(&configuration.name)) {
        return;
    }
    for (at, volume) in each(TASK, "volumes", subject.task.volumes.as_deref()) {
        let is_left = volume.configured_at_launch == Some(true) && !is_open(&volume.name);
        let name = &volume.name;
        if is_left && !configurations.iter().any(|configuration| configuration.name == *name) {
            found.push(
                error(
                    format!("{at}.configuredAtLaunch"),
                    format!("leaves volume `{name}` to the service, which does not give it"),
                )
                .hint("add it to spec.service.volumeConfigurations"),
            );
        }
    }
}

fn volume(subject: &Subject<'_>, at: &str, ebs: &EbsVolume, found: &mut Vec<Finding>) {
    if ebs.size_in_gib.is_none() && ebs.snapshot_id.is_none() {
        found.push(
            error(format!("{at}.sizeInGiB"), "is missing, and so is snapshotId")
                .hint("give one of the two"),
        );
    }
    let name = ebs.volume_type.as_deref().unwrap_or(DEFAULT_TYPE);
    if is_open(name) {
        return;
    }
    let Some(kind) = TYPES.iter().find(|kind| kind.name == name) else {
        let known = super::words::quoted(TYPES.iter().map(|kind| kind.name));
        found.push(
            error(format!("{at}.volumeType"), format!("`{name}` is not a type of EBS volume"))
                .hint(format!("types are {known}")),
        );
        return;
    };
    if subject.is_fargate && !kind.is_on_fargate {
        found.push(
            error(format!("{at}.volumeType"), format!("`{name}` is not possible on Fargate"))
                .hint("use `gp3`"),
        );
    }
    size(at, kind, ebs, found);
    iops(at, kind, ebs, found);
    if let Some(throughput) = ebs.throughput.filter(|_| !kind.has_throughput) {
        found.push(
            error(
                format!("{at}.throughput"),
                format!("`{throughput}` is for `gp3`, and the type is `{name}`"),
            )
            .hint("leave it out"),
        );
    }
}

fn size(at: &str, kind: &VolumeType, ebs: &EbsVolume, found: &mut Vec<Finding>) {
    let (least, most) = kind.gibibytes;
    if let Some(size) = ebs.size_in_gib.filter(|size| !(least..=most).contains(size)) {
        found.push(
            error(
                format!("{at}.sizeInGiB"),
                format!(
                    "`{size}` GiB are not a size of `{}`, which takes {least} to {most}",
                    kind.name
                ),
            )
            .hint(format!("the nearest is {}", size.clamp(least, most))),
        );
    }
}

fn iops(at: &str, kind: &VolumeType, ebs: &EbsVolume, found: &mut Vec<Finding>) {
    let path = format!("{at}.iops");
    let name = kind.name;
    match (&kind.iops, ebs.iops) {
        (Iops::Needed, None) => found.push(error(path, format!("is missing, and `{name}` needs it"))),
        (Iops::Within(least, most), Some(iops)) if !(*least..=*most).contains(&iops) => found.push(
            error(path, format!("`{iops}` operations a second are not within {least} to {most}, which `{name}` takes"))
                .hint(format!("the nearest is {}", iops.clamp(*least, *most))),
        ),
        (Iops::Refused, Some(iops)) => found.push(
            error(path, format!("`{iops}` operations a second cannot be chosen for `{name}`"))
                .hint("leave it out, or use `gp3`, `io1` or `io2`"),
        ),
        (Iops::Needed | Iops::Within(..), Some(_)) | (Iops::Within(..) | Iops::Refused, None) => {}
    }
}

fn tags(at: &str, ebs: &EbsVolume, found: &mut Vec<Finding>) {
    for (at, specification) in each(at, "tagSpecifications", ebs.tag_specifications.as_deref()) {
        super::tag::tags(&at, specification.tags.as_deref(), MAX_TAGS, found);
    }
}
