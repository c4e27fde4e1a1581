//! What was chosen before, rolled back, held by a person, or lost from the listing.

use super::harness::check;

#[test]
fn never_backwards() {
    assert!(
        check(
            "
>=1.0.0        ; 1.4.0 ; 1.3.0 1.4.0        ; current     ; 1.4.0 is the highest version in `>=1.0.0`, of 2 candidates
>=1.0.0        ; 1.4.0 ; 1.4.0 1.5.0        ; takes 1.5.0 ; highest
>=1.0.0        ; 1.4.0 ; 1.3.0              ; keeps       ; 1.4.0 stays: 1.3.0 is the highest version in `>=1.0.0`, of 1 candidate, but behind it, and a release does not go back by itself; `allowDowngrade: true` lets it
>=1.0.0 [down] ; 1.4.0 ; 1.3.0              ; takes 1.3.0 ; highest
>=1.0.0 [down] ; 1.4.0 ; 1.3.0 1.4.0        ; current     ; highest
>=1.0.0 <1.4.0 ; 1.4.0 ; 1.3.0 1.4.0        ; keeps       ; does not go back by itself
>=1.0.0 <1.4.0 [down] ; 1.4.0 ; 1.3.0 1.4.0 ; takes 1.3.0 ; highest
>=2.0.0        ; 1.4.0 ; 1.4.0              ; none        ; 1.4.0 stays: no candidate for the highest version in `>=2.0.0` among 1 tag: 1 out of range (1.4.0)
>=1.0.0        ; 1.4.0-rc.1 ; 1.3.0         ; keeps       ; does not go back by itself
>=1.0.0        ; 1.4.0-rc.1 ; 1.4.0         ; takes 1.4.0 ; highest
>=1.0.0 [pattern=^api-(?<version>.+)$] ; 1.4.0 ; api-1.3.0 ; keeps ; does not go back by itself
>=1.0.0        ; latest ; 1.3.0             ; takes 1.3.0 ; highest
>=1.0.0 [image=222233334444.dkr.ecr.eu-west-1.amazonaws.com/shop] ; 1.4.0@a ; 1.4.0@b ; takes 1.4.0 ; highest
>=1.0.0 [image=222233334444.dkr.ecr.eu-west-1.amazonaws.com/shop] ; 1.4.0@a ; 1.3.0@b ; keeps ; does not go back by itself
"
        ) >= 14
    );
}

#[test]
fn listings_that_lost_their_tags() {
    assert!(
        check(
            "
>=1.0.0 ; 1.4.0           ; -                    ; suspicious ; the repository lists no tags, and 1.4.0 came from it
>=1.0.0 ; 1.4.0 listed=40 ; -                    ; suspicious ; the repository lists no tags, it had 40
>=1.0.0 ; listed=40       ; -                    ; suspicious ; it had 40
>=1.0.0 ; 1.4.0 listed=5  ; 1.4.0 1.5.0          ; suspicious ; the repository lists 2 of the 5 tags that it had
>=1.0.0 ; 1.4.0 listed=4  ; 1.4.0 1.5.0          ; takes 1.5.0 ; highest
>=1.0.0 ; 1.4.0 listed=2  ; 1.4.0 1.5.0 1.6.0    ; takes 1.6.0 ; highest
>=1.0.0 ; 1.4.0 listed=5 accept ; 1.4.0 1.5.0    ; takes 1.5.0 ; highest
>=1.0.0 ; 1.4.0 listed=40 accept ; -             ; none       ; 1.4.0 stays: the repository has no tags
>=1.0.0 ; 1.4.0 later     ; 1.4.0 1.5.0          ; waits      ; the listing of 2026-11-21T12:00:00Z is older than the one of 2026-11-21T12:01:00Z
>=1.0.0 [image=222233334444.dkr.ecr.eu-west-1.amazonaws.com/shop] ; 1.4.0 listed=40 ; 1.5.0 ; takes 1.5.0 ; highest
"
        ) >= 10
    );
}

#[test]
fn versions_that_were_rolled_back() {
    assert!(
        check(
            "
>=1.0.0 ; 1.9.0 bad=2.0.0/11:00 ; 1.9.0 2.0.0               ; keeps       ; 1.9.0 stays: 2.0.0 was rolled back at 2026-11-21T11:00:00Z
>=1.0.0 ; 1.9.0 bad=2.0.0/11:00 ; 1.9.0 2.0.0 2.0.1         ; takes 2.0.1 ; highest
>=1.0.0 ; 1.9.0 bad=2.0.0/11:00 ; 1.9.0 1.9.5 2.0.0         ; keeps       ; 1.9.0 stays: 2.0.0 was rolled back at 2026-11-21T11:00:00Z, with 1 more refused
>=1.0.0 ; 1.9.0 bad=2.0.0/11:00 ; 1.9.0 1.9.6:age=20m 2.0.0 ; takes 1.9.6 ; that may run: 2.0.0 was rolled back
>=1.0.0 ; 1.9.0 bad=2.0.0/11:00 ; 1.9.0 1.9.6:age=unknown   ; keeps       ; 1.9.6 is older than the rollback of 2.0.0
>=1.0.0 ; 1.9.0 bad=2.0.0@a/11:00 ; 1.9.0 2.0.0@b           ; keeps       ; 2.0.0 was rolled back
>=1.0.0 ; 1.9.0 bad=2.0.0@a/11:00 ; 1.9.0 2.0.1@a           ; keeps       ; 2.0.1 is the image that was rolled back as 2.0.0
>=1.0.0 ; 1.9.0 bad=2.0.0@a/11:00 ; 1.9.0 2.0.0@a v2.0.0@b  ; keeps       ; was rolled back
>=1.0.0 ; 2.0.0 bad=2.0.0/11:00 ; 1.9.0 2.0.0               ; keeps       ; 2.0.0 was rolled back at 2026-11-21T11:00:00Z and nothing higher is there
>=1.0.0 ; 2.0.0 bad=2.0.0/11:00 ; 2.0.0 2.1.0               ; takes 2.1.0 ; highest
>=1.0.0 ; bad=2.0.0/11:00       ; 1.9.0 2.0.0               ; takes 1.9.0 ; that may run: 2.0.0 was rolled back
>=1.0.0 ; 1.9.0 bad=2.0.0/10:00 bad=2.1.0/11:00 ; 1.9.0 2.0.0 2.1.0 2.2.0 ; takes 2.2.0 ; highest
tag=main ; main@a bad=main@b/11:00 ; main@b                 ; keeps       ; main stays: main was rolled back
tag=main ; main@a bad=main@b/11:00 ; main@c                 ; takes main  ; names
"
        ) >= 14
    );
}
