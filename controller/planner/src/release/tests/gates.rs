//! What a version must pass.

use std::collections::BTreeSet;

use crds::Reason;

use super::harness::{check, digest, image, noon, spec};
use crate::release::{Facts, ImageFacts, Listing, Offer, Past, Rule, Want, choose};

#[test]
fn age() {
    assert!(
        check(
            "
>=1.0.0 [min=10m] ; - ; 1.0.0:age=11m                      ; takes 1.0.0 ; highest
>=1.0.0 [min=10m] ; - ; 1.0.0:age=10m                      ; takes 1.0.0 ; highest
>=1.0.0 [min=10m] ; - ; 1.0.0:age=9m                       ; waits 12:01 ; 1.0.0 was pushed at 2026-11-21T11:51:00Z and waits until 2026-11-21T12:01:00Z, when it is 10m old
>=1.0.0 [min=10m] ; 1.0.0 ; 1.0.0 1.1.0:age=4m 1.2.0:age=8m ; waits 12:02 ; 1.2.0 was pushed
>=1.0.0 [min=10m] ; 1.0.0 ; 1.0.0 1.1.0:age=1h 1.2.0:age=8m ; takes 1.1.0 ; 1.1.0 is the highest version in `>=1.0.0`, of 3 candidates that may run: 1.2.0 was pushed at
>=1.0.0 [min=10m] ; 1.0.0 ; 1.0.0:age=1s                   ; current     ; highest
>=1.0.0 [min=10m] ; - ; 1.0.0:age=unknown                  ; waits       ; the registry does not say when 1.0.0 was pushed
"
        ) >= 7
    );
}

#[test]
fn platforms() {
    assert!(
        check(
            "
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/amd64                        ; takes 1.0.0 ; highest
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/amd64+linux/arm64            ; takes 1.0.0 ; highest
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/arm64                        ; none        ; nothing is chosen: 1.0.0 is not for linux/amd64
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/amd64 1.1.0:plat=linux/arm64 ; takes 1.0.0 ; 1.1.0 is not for linux/amd64
>=1.0.0 [plat=linux/amd64 plat=linux/arm64] ; - ; 1.0.0:plat=linux/amd64       ; none        ; not for linux/arm64
>=1.0.0 [plat=linux/arm64] ; - ; 1.0.0:plat=linux/arm64/v8                     ; takes 1.0.0 ; highest
>=1.0.0 [plat=linux/arm/v7] ; - ; 1.0.0:plat=linux/arm/v6                      ; none        ; not for linux/arm/v7
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0                                         ; waits       ; the platforms of 1.0.0 have not been read yet
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/amd64 1.1.0                  ; waits       ; the platforms of 1.1.0 have not been read yet
>=1.0.0 [plat=linux/amd64] ; 1.1.0 ; 1.1.0                                     ; current     ; highest
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.1@a:plat=linux/amd64 v1.0.1@b:plat=linux/arm64 ; takes 1.0.1 ; highest
>=1.0.0 [plat=linux/amd64] ; 1.0.1@a ; 1.0.1@a:plat=linux/amd64 v1.0.1@b:plat=linux/arm64 ; current ; highest
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=unstated                           ; none        ; nothing is chosen: 1.0.0 does not say what it runs on
>=1.0.0 [plat=linux/amd64] ; - ; 1.0.0:plat=linux/amd64 1.1.0:plat=denied      ; waits       ; the platforms of 1.1.0 cannot be read: it is not allowed
"
        ) >= 14
    );
}

/// What the services run on keeps out what does not fit, and nothing else.
#[test]
fn platforms_of_the_services() {
    assert!(
        check(
            "
>=1.0.0 ; runs=linux/amd64 ; 1.0.0:plat=linux/amd64 1.1.0:plat=linux/arm64             ; takes 1.0.0 ; that may run: 1.1.0 is not for linux/amd64
>=1.0.0 ; runs=linux/amd64 1.0.0 ; 1.0.0:plat=linux/amd64 1.1.0:plat=linux/arm64       ; keeps       ; 1.0.0 stays: 1.1.0 is not for linux/amd64
>=1.0.0 ; runs=linux/amd64 1.0.0 ; 1.0.0 1.1.0:plat=linux/arm64 1.2.0:plat=linux/arm64+linux/amd64 ; takes 1.2.0 ; highest
>=1.0.0 ; runs=linux/amd64 runs=linux/arm64 ; 1.0.0:plat=linux/amd64+linux/arm64 1.1.0:plat=linux/arm64 ; takes 1.0.0 ; 1.1.0 is not for linux/amd64
>=1.0.0 ; runs=linux/amd64 ; 1.0.0:plat=linux/arm64                                    ; none        ; nothing is chosen: 1.0.0 is not for linux/amd64
>=1.0.0 ; runs=linux/amd64 ; 1.0.0:plat=linux/amd64 1.1.0:plat=unstated                ; takes 1.1.0 ; highest
>=1.0.0 ; runs=linux/amd64 ; 1.0.0:plat=linux/amd64 1.1.0:plat=denied                  ; takes 1.1.0 ; highest
>=1.0.0 ; runs=linux/amd64 ; 1.0.0:plat=linux/amd64 1.1.0                              ; waits       ; the platforms of 1.1.0 have not been read yet
>=1.0.0 ; runs=linux/amd64 1.0.0 ; 1.0.0:plat=linux/arm64                              ; current     ; highest
>=1.0.0 ; runs=windows/amd64 ; 1.0.0:plat=linux/amd64                                  ; none        ; not for windows/amd64
>=1.0.0 ; - ; 1.0.0:plat=linux/arm64                                                   ; takes 1.0.0 ; highest
>=1.0.0 [min=10m] ; runs=linux/amd64 1.0.0 ; 1.0.0 1.1.0:age=1m                       ; waits 12:09 ; 1.1.0 was pushed
>=1.0.0 [plat=linux/arm64] ; runs=linux/amd64 ; 1.0.0:plat=linux/arm64                 ; takes 1.0.0 ; highest
tag=main ; runs=linux/amd64 main@a ; main@b:plat=linux/arm64                           ; keeps       ; main stays: main is not for linux/amd64
"
        ) >= 14
    );
}

#[test]
fn scans() {
    assert!(
        check(
            "
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=clean                     ; takes 1.0.0 ; highest
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=CVE-1/MEDIUM+CVE-2/LOW    ; takes 1.0.0 ; highest
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=CVE-2/HIGH+CVE-1/CRITICAL ; none        ; nothing is chosen: 1.0.0 has CVE-1 (CRITICAL) and CVE-2 (HIGH)
>=1.0.0 [scan=HIGH] ; 1.0.0 ; 1.0.0 1.1.0:scan=CVE-1/HIGH      ; keeps       ; 1.0.0 stays: 1.1.0 has CVE-1 (HIGH)
>=1.0.0 [scan=HIGH] ; 1.0.0 ; 1.0.0 1.1.0:scan=clean 1.2.0:scan=CVE-1/HIGH ; takes 1.1.0 ; that may run: 1.2.0 has CVE-1 (HIGH)
>=1.0.0 [scan=HIGH] ; 1.0.0 ; 1.0.0:scan=CVE-1/CRITICAL        ; current     ; highest
>=1.0.0 [scan=HIGH waive=CVE-1/2026-11-21] ; - ; 1.0.0:scan=CVE-1/HIGH ; takes 1.0.0 ; highest
>=1.0.0 [scan=HIGH waive=CVE-1/2026-11-20] ; - ; 1.0.0:scan=CVE-1/HIGH ; none ; CVE-1 (HIGH, waiver expired)
>=1.0.0 [scan=HIGH waive=CVE-1/2026-12-31] ; - ; 1.0.0:scan=CVE-1/HIGH+CVE-2/HIGH ; none ; 1.0.0 has CVE-2 (HIGH)
>=1.0.0 [scan=UNDEFINED] ; - ; 1.0.0:scan=CVE-1/UNDEFINED      ; none        ; CVE-1 (UNDEFINED)
>=1.0.0 [scan=HIGH] ; - ; 1.0.0                                ; waits       ; the scan of 1.0.0 has not been read yet
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=clean 1.1.0               ; waits       ; the scan of 1.1.0 has not been read yet
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=missing                   ; waits       ; 1.0.0 has not been scanned
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=clean 1.1.0:scan=running  ; takes 1.0.0 ; 1.1.0 is being scanned
>=1.0.0 [scan=HIGH] ; - ; 1.0.0:scan=failed                    ; none        ; 1.0.0 could not be scanned: the operating system
"
        ) >= 15
    );
}

#[test]
fn signatures() {
    assert!(
        check(
            "
>=1.0.0 [sign] ; - ; 1.0.0@a sig=a          ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a notary=a       ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a                ; waits       ; 1.0.0 waits for a signature of sha256:aaaaaaaaaaaa in the repository
>=1.0.0 [sign] ; - ; 1.0.0@a att=a          ; waits       ; waits for a signature
>=1.0.0 [sign] ; - ; 1.0.0@a sig=b          ; waits       ; waits for a signature
>=1.0.0 [sign] ; - ; 1.0.0@a sig=a 1.1.0@b  ; takes 1.0.0 ; 1.1.0 waits for a signature
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=a/sig   ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=a/att   ; waits       ; 1.0.0 waits for a signature of sha256:aaaaaaaaaaaa in the repository; what is attached to it is none
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=a/att bundle=a/sig ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=a       ; waits       ; the signature of 1.0.0 has not been read yet
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=a bundle=a/sig ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a sig=a 1.1.0@b bundle=b/att ; takes 1.0.0 ; 1.1.0 waits for a signature
>=1.0.0 [sign] ; - ; 1.0.0@a sig=a 1.1.0@b bundle=b ; waits ; the signature of 1.1.0 has not been read yet
>=1.0.0 [sign] ; - ; 1.0.0@a sig=a bundle=a/att ; takes 1.0.0 ; highest
>=1.0.0 [sign] ; - ; 1.0.0@a bundle=b/sig   ; waits       ; waits for a signature
"
        ) >= 15
    );
}

#[test]
fn promotion() {
    assert!(
        check(
            "
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/90m           ; 1.5.0         ; takes 1.5.0 ; highest
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/60m           ; 1.5.0         ; takes 1.5.0 ; highest
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/45m           ; 1.5.0         ; waits 12:15 ; 1.5.0 runs in staging since 2026-11-21T11:15:00Z and has to do so for 1h, until 2026-11-21T12:15:00Z
>=1.0.0 [after=staging/1h] ; 1.4.0 ahead=1.6.0/2h      ; 1.4.0 1.5.0   ; waits       ; 1.5.0 waits for staging, which runs 1.6.0
>=1.0.0 [after=staging/1h] ; 1.4.0 ahead=1.5.0/2h      ; 1.4.0 1.5.0 1.6.0 ; takes 1.5.0 ; 1.6.0 waits for staging, which runs 1.5.0
>=1.0.0 [after=staging/1h] ; 1.4.0 was=1.5.0/2h ahead=1.6.0/5m ; 1.4.0 1.5.0 1.6.0 ; takes 1.5.0 ; 1.6.0 runs in staging
>=1.0.0 [after=staging/1h] ; 1.4.0 was=1.5.0/20m was=1.5.0/50m ahead=1.6.0/5m ; 1.4.0 1.5.0 ; waits ; 1.5.0 waits: it ran in staging for less than 1h
>=1.0.0 [after=staging/1h] ; ahead=1.5.0@a/2h          ; 1.5.0@b       ; waits       ; 1.5.0 waits: staging ran it as sha256:aaaaaaaaaaaa, and here it is sha256:bbbbbbbbbbbb
>=1.0.0 [after=staging/1h] ; -                         ; 1.5.0         ; waits       ; 1.5.0 waits for staging, of which nothing is known
>=1.0.0 [after=staging/1h] ; ahead                     ; 1.5.0         ; waits       ; 1.5.0 waits for staging, which runs nothing well
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/3h/150m       ; 1.5.0         ; waits       ; 1.5.0 runs in staging since 2026-11-21T09:00:00Z and has to do so for 1h
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/3h/2h         ; 1.5.0         ; takes 1.5.0 ; highest
>=1.0.0 [after=staging/1h] ; ahead=1.5.0/3h unwatched  ; 1.5.0         ; waits       ; 1.5.0 waits: it is not known whether staging still runs it well
>=1.0.0 [after=staging/0s] ; ahead=1.5.0/0s            ; 1.5.0         ; takes 1.5.0 ; highest
>=1.0.0 [after=staging/0s] ; ahead=1.5.0/0s unwatched  ; 1.5.0         ; waits       ; it is not known whether staging still runs it well
>=1.0.0 [after=staging/1h] ; was=1.5.0/2h tries=1.5.0  ; 1.5.0         ; waits       ; 1.5.0 waits until staging runs it well
>=1.0.0 [after=staging/1h] ; was=1.5.0/2h ahead=1.5.0/5m ; 1.5.0       ; waits 12:55 ; 1.5.0 runs in staging since 2026-11-21T11:55:00Z
>=1.0.0 [after=staging/1h] ; was=1.5.0/2h tries=1.6.0 unwatched ; 1.5.0 1.6.0 ; takes 1.5.0 ; 1.6.0 waits until staging runs it well
>=1.0.0 [after=staging/1h] ; 1.5.0 ahead=1.4.0/2h      ; 1.4.0 1.5.0   ; current     ; highest
>=1.0.0 [after=staging/1h] ; ahead=2.0.0-rc.1@a/2h     ; 1.5.0@a       ; takes 1.5.0 ; highest
"
        ) >= 20
    );
}

/// What must be read is named, and only what the answer hangs on.
#[test]
fn wants_are_few() {
    let rule = Rule::resolve(&spec(">=1.0.0 [scan=HIGH plat=linux/amd64]")).unwrap();
    let images: Vec<_> =
        ["1.0.0", "1.1.0", "1.2.0"].iter().map(|tag| image(&[tag], &digest(None, tag))).collect();
    let listing = Listing::complete(images, noon());
    let decision = choose(&rule, &listing, &Facts::default(), &Past::default(), noon());
    let expected = Want::Platforms { digest: digest(None, "1.2.0") };
    assert_eq!(decision.wants, BTreeSet::from([expected]));
    // What cannot be read is not asked for again at once.
    let offer = Offer::Unreadable("it is not allowed".to_owned());
    let facts = ImageFacts { platforms: Some(offer), scan: None };
    let facts = Facts { images: [(digest(None, "1.2.0"), facts)].into(), ..Facts::default() };
    let decision = choose(&rule, &listing, &facts, &Past::default(), noon());
    assert_eq!(decision.choice.reason(), Reason::VersionPending);
    assert_eq!(decision.wants, BTreeSet::new());
}
