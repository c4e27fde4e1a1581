//! Storage of a task (aws.md §4.3).

use std::collections::BTreeSet;

use crds::ecs::ContainerDefinition;
use crds::ecs::task_definition::TaskDefinition;
use crds::ecs::volume::{EfsVolumeConfiguration, Switch, Volume};

use super::finding::{Finding, error};
use super::subject::{SERVICE, Subject, TASK};
use super::words::{available, each, is_open};

/// How many volumes a task definition may leave to launch.
const MAX_LEFT_TO_LAUNCH: usize = 1;

/// The scratch space of a Fargate task in GiB. Twenty come with every task and cannot be asked for.
const EPHEMERAL: std::ops::RangeInclusive<i32> = 21..=200;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    unique_names(subject, found);
    left_to_launch(subject, found);
    for (at, volume) in each(TASK, "volumes", subject.task.volumes.as_deref()) {
        one_kind(&at, volume, found);
        if let Some(efs) = &volume.efs_volume_configuration {
            self::efs(&format!("{at}.efsVolumeConfiguration"), efs, found);
        }
        s3_files(&at, volume, found);
    }
    for (at, container) in &subject.containers {
        mount_points(subject, at, container, found);
        volumes_from(subject, at, container, found);
    }
    ephemeral_storage(subject, found);
}

fn unique_names(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, volume) in each(TASK, "volumes", subject.task.volumes.as_deref()) {
        if !is_open(&volume.name) && !seen.insert(volume.name.as_str()) {
            found.push(error(
                format!("{at}.name"),
                format!("`{}` is already the name of another volume", volume.name),
            ));
        }
    }
}

fn left_to_launch(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let left = each(TASK, "volumes", subject.task.volumes.as_deref())
        .filter(|(_, volume)| volume.configured_at_launch == Some(true));
    for (at, _) in left.skip(MAX_LEFT_TO_LAUNCH) {
        found.push(error(
            format!("{at}.configuredAtLaunch"),
            "is the second volume that is left to launch; a task definition takes one",
        ));
    }
}

/// A volume has one kind of configuration, or none.
fn one_kind(at: &str, volume: &Volume, found: &mut Vec<Finding>) {
    let kinds = [
        ("host", volume.host.as_ref().is_some_and(|host| host.source_path.is_some())),
        ("dockerVolumeConfiguration", volume.docker_volume_configuration.is_some()),
        ("efsVolumeConfiguration", volume.efs_volume_configuration.is_some()),
        ("s3filesVolumeConfiguration", volume.s3files_volume_configuration.is_some()),
        (
            "fsxWindowsFileServerVolumeConfiguration",
            volume.fsx_windows_file_server_volume_configuration.is_some(),
        ),
        ("configuredAtLaunch", volume.configured_at_launch == Some(true)),
    ];
    let mut given = kinds.iter().filter(|(_, is_given)| *is_given).map(|(kind, _)| *kind);
    let first = given.next().unwrap_or_default();
    for other in given {
        found.push(
            error(
                format!("{at}.{other}"),
                format!("stands beside `{first}`; a volume has one kind of configuration"),
            )
            .hint("leave one of the two out"),
        );
    }
}

fn efs(at: &str, efs: &EfsVolumeConfiguration, found: &mut Vec<Finding>) {
    let authorization = efs.authorization_config.as_ref();
    let has_access_point =
        authorization.is_some_and(|authorization| authorization.access_point_id.is_some());
    let has_iam =
        authorization.is_some_and(|authorization| authorization.iam == Some(Switch::Enabled));
    let is_encrypted = match &efs.transit_encryption {
        Some(Switch::Enabled) => true,
        Some(Switch::Other(text)) => is_open(text),
        Some(Switch::Disabled) | None => false,
    };
    if (has_access_point || has_iam) && !is_encrypted {
        let what = if has_access_point { "an access point" } else { "IAM" };
        found.push(
            error(
                format!("{at}.transitEncryption"),
                format!("is not `ENABLED`, and {what} needs it"),
            )
            .hint("use `ENABLED`"),
        );
    }
    if has_access_point {
        root_directory(at, efs.root_directory.as_deref(), found);
    }
}

/// The access point decides the directory.
fn root_directory(at: &str, directory: Option<&str>, found: &mut Vec<Finding>) {
    if let Some(directory) =
        directory.filter(|directory| !matches!(*directory, "" | "/") && !is_open(directory))
    {
        found.push(
            error(
                format!("{at}.rootDirectory"),
                format!("`{directory}` stands beside an access point, which decides the directory"),
            )
            .hint("leave it out or use `/`"),
        );
    }
}

fn s3_files(at: &str, volume: &Volume, found: &mut Vec<Finding>) {
    if let Some(files) = &volume.s3files_volume_configuration
        && files.access_point_arn.is_some()
    {
        root_directory(
            &format!("{at}.s3filesVolumeConfiguration"),
            files.root_directory.as_deref(),
            found,
        );
    }
}

fn volume_names(task: &TaskDefinition) -> impl Iterator<Item = &str> {
    task.volumes.as_deref().unwrap_or_default().iter().map(|volume| volume.name.as_str())
}

fn mount_points(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let mut paths = BTreeSet::new();
    for (at, mount) in each(at, "mountPoints", container.mount_points.as_deref()) {
        match mount.source_volume.as_deref() {
            None => found.push(
                error(format!("{at}.sourceVolume"), "is missing")
                    .hint(available("volumes", volume_names(subject.task))),
            ),
            Some(name) if is_open(name) || volume_names(subject.task).any(is_open) => {}
            Some(name) if volume_names(subject.task).any(|volume| volume == name) => {}
            Some(name) => found.push(
                error(
                    format!("{at}.sourceVolume"),
                    format!("`{name}` is not a volume of the task"),
                )
                .hint(available("volumes", volume_names(subject.task))),
            ),
        }
        match mount.container_path.as_deref() {
            None | Some("") => found.push(error(format!("{at}.containerPath"), "is missing")),
            Some(path) if !is_open(path) && !paths.insert(path) => found.push(error(
                format!("{at}.containerPath"),
                format!("`{path}` is already where another volume appears"),
            )),
            Some(_) => {}
        }
    }
}

fn volumes_from(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    for (at, from) in each(at, "volumesFrom", container.volumes_from.as_deref()) {
        let others = || subject.container_names().filter(|name| *name != container.name);
        let Some(name) = from.source_container.as_deref() else {
            found.push(
                error(format!("{at}.sourceContainer"), "is missing")
                    .hint(available("other containers", others())),
            );
            continue;
        };
        if !is_open(name) && !subject.has_open_names() && !others().any(|other| other == name) {
            found.push(
                error(
                    format!("{at}.sourceContainer"),
                    format!("`{name}` is not another container of the task"),
                )
                .hint(available("other containers", others())),
            );
        }
    }
}

fn ephemeral_storage(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(storage) = &subject.task.ephemeral_storage else { return };
    let size = storage.size_in_gib;
    if !EPHEMERAL.contains(&size) {
        let (least, most) = (EPHEMERAL.start(), EPHEMERAL.end());
        let finding = error(
            format!("{TASK}.ephemeralStorage.sizeInGiB"),
            format!("`{size}` GiB are not within {least} to {most}"),
        );
        found.push(if size == 20 {
            finding.hint("leave it out: 20 GiB come with every task")
        } else {
            finding.hint(format!("the nearest is {}", size.clamp(*least, *most)))
        });
    }
    if let Some(version) = subject.older_platform() {
        found.push(
            error(
                format!("{SERVICE}.platformVersion"),
                format!("`{version}` has no ephemeralStorage"),
            )
            .hint("use `1.4.0` or `LATEST`"),
        );
    }
}
