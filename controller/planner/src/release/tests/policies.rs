//! Which tag a policy takes.

use super::harness::check;

#[test]
fn ranges_in_npms_style() {
    assert!(
        check(
            "
>=1.4.0 <2.0.0      ; - ; 1.3.9 1.4.0 1.9.9 2.0.0         ; takes 1.9.9  ; 1.9.9 is the highest version in `>=1.4.0 <2.0.0`, of 2 candidates
>=1.4.0, <2.0.0     ; - ; 1.3.9 1.4.0 1.9.9 2.0.0         ; takes 1.9.9  ; of 2 candidates
>=1.4.0,<2.0.0      ; - ; 1.4.0 2.0.0                     ; takes 1.4.0  ; of 1 candidate
>= 1.4.0 < 2.0.0    ; - ; 1.4.0 1.5.0 2.0.0               ; takes 1.5.0  ; of 2 candidates
>1.4.0 <=1.5.0      ; - ; 1.4.0 1.4.1 1.5.0 1.5.1         ; takes 1.5.0  ; of 2 candidates
1.4.0               ; - ; 1.4.0 1.4.1 1.5.0               ; takes 1.4.0  ; of 1 candidate
=1.4.0              ; - ; 1.4.0 1.4.1                     ; takes 1.4.0  ; of 1 candidate
v1.4.0              ; - ; 1.4.0 1.4.1                     ; takes 1.4.0  ; of 1 candidate
^1.4.0              ; - ; 1.3.0 1.4.0 1.11.0 2.0.0        ; takes 1.11.0 ; of 2 candidates
^0.4.1              ; - ; 0.4.0 0.4.1 0.4.9 0.5.0         ; takes 0.4.9  ; of 2 candidates
^0.0.3              ; - ; 0.0.3 0.0.4                     ; takes 0.0.3  ; of 1 candidate
~1.4.0              ; - ; 1.4.0 1.4.12 1.5.0              ; takes 1.4.12 ; of 2 candidates
~1.4                ; - ; 1.4.2 1.5.0                     ; takes 1.4.2  ; of 1 candidate
~1                  ; - ; 1.4.2 1.5.0 2.0.0               ; takes 1.5.0  ; of 2 candidates
1.x                 ; - ; 0.9.0 1.0.0 1.9.0 2.0.0         ; takes 1.9.0  ; of 2 candidates
1.4.x               ; - ; 1.4.9 1.5.0                     ; takes 1.4.9  ; of 1 candidate
1.4                 ; - ; 1.4.9 1.5.0                     ; takes 1.4.9  ; of 1 candidate
1                   ; - ; 1.4.9 1.5.0 2.0.0               ; takes 1.5.0  ; of 2 candidates
*                   ; - ; 1.4.9 10.0.0 9.9.9              ; takes 10.0.0 ; of 3 candidates
>=1                 ; - ; 0.9.0 1.0.0 3.0.0               ; takes 3.0.0  ; of 2 candidates
>1.4                ; - ; 1.4.9 1.5.0                     ; takes 1.5.0  ; of 1 candidate
<1.4                ; - ; 1.3.9 1.4.0                     ; takes 1.3.9  ; of 1 candidate
1.2.0 - 1.4.0       ; - ; 1.1.9 1.2.0 1.4.0 1.4.1         ; takes 1.4.0  ; of 2 candidates
1.2 - 1.4           ; - ; 1.2.0 1.4.9 1.5.0               ; takes 1.4.9  ; of 2 candidates
^1.4 || ^3.0        ; - ; 1.9.0 2.9.0 3.1.0               ; takes 3.1.0  ; of 2 candidates
^1.4 ^1.6 || 3.x <3.2 ; - ; 1.5.0 1.7.0 3.1.0 3.2.0       ; takes 3.1.0  ; of 2 candidates
>=1.4.0 <2.0.0      ; - ; 1.3.9 2.0.0                     ; none         ; no candidate for the highest version in `>=1.4.0 <2.0.0` among 2 tags: 2 out of range (as 2.0.0)
>=1.0.0             ; - ; latest main 9c1f2ab             ; none         ; 3 without versions (as main)
>=1.0.0             ; - ; -                               ; none         ; the repository has no tags
>=1.0.0             ; - ; 1.0 1 1.0.0.0 01.0.0 v1 2024.01.05 ; none      ; 6 without versions
>=1.0.0             ; - ; 1.9.0 1.10.0 1.2.0              ; takes 1.10.0 ; of 3 candidates
>=1.0.0             ; - ; 4294967296.0.0 9.0.0            ; takes 4294967296.0.0 ; of 2 candidates
>=2024.1.0          ; - ; 2023.12.9 2024.1.5 2024.11.2    ; takes 2024.11.2 ; of 2 candidates
"
        ) >= 32
    );
}

#[test]
fn ranges_in_cargos_style() {
    assert!(
        check(
            "
>=1.4.0 <2.0.0 [cargo]  ; - ; 1.3.9 1.4.0 1.9.9 2.0.0  ; takes 1.9.9  ; of 2 candidates
>=1.4.0, <2.0.0 [cargo] ; - ; 1.3.9 1.4.0 1.9.9 2.0.0  ; takes 1.9.9  ; of 2 candidates
1.4.0 [cargo]           ; - ; 1.4.0 1.4.1 1.5.0 2.0.0  ; takes 1.5.0  ; of 3 candidates
=1.4.0 [cargo]          ; - ; 1.4.0 1.4.1              ; takes 1.4.0  ; of 1 candidate
0.4.1 [cargo]           ; - ; 0.4.1 0.4.9 0.5.0        ; takes 0.4.9  ; of 2 candidates
~1.4.2 [cargo]          ; - ; 1.4.1 1.4.9 1.5.0        ; takes 1.4.9  ; of 1 candidate
1.* [cargo]             ; - ; 1.0.0 1.9.0 2.0.0        ; takes 1.9.0  ; of 2 candidates
1.4.x [cargo]           ; - ; 1.4.9 1.5.0              ; takes 1.4.9  ; of 1 candidate
* [cargo]               ; - ; 0.1.0 7.0.0              ; takes 7.0.0  ; of 2 candidates
>=1.4 [cargo]           ; - ; 1.3.0 1.4.0 3.0.0        ; takes 3.0.0  ; of 2 candidates
>=2.0.0-rc.1 [cargo]    ; - ; 1.0.0 2.0.0-rc.2 2.1.0-rc.1 ; takes 2.0.0-rc.2 ; of 1 candidate
1.0.0 [cargo]           ; - ; 1.0.0-rc.1 1.1.0-rc.1    ; none ; 2 pre-releases that the range does not take (as 1.1.0-rc.1)
1.0.0 [cargo pre]       ; - ; 1.0.0-rc.1 1.1.0-rc.1    ; takes 1.1.0-rc.1 ; of 1 candidate
>=1.0.0-rc.2 [cargo pre] ; - ; 1.0.0-rc.1 1.0.0-rc.3   ; takes 1.0.0-rc.3 ; of 1 candidate
>=1.0.0 <2.0.0 [cargo pre] ; - ; 1.5.0 2.0.0-rc.1      ; takes 1.5.0  ; of 1 candidate
"
        ) >= 15
    );
}

#[test]
fn prereleases_only_where_the_range_names_one() {
    assert!(
        check(
            "
>=1.0.0             ; - ; 1.0.0 1.1.0-rc.1                ; takes 1.0.0       ; of 1 candidate
>=1.0.0             ; - ; 1.1.0-rc.1                      ; none              ; 1 pre-release that the range does not take (1.1.0-rc.1)
*                   ; - ; 1.1.0-rc.1                      ; none              ; pre-release
>=1.1.0-rc.1        ; - ; 1.0.0 1.1.0-rc.1 1.1.0-rc.2     ; takes 1.1.0-rc.2  ; of 2 candidates
>=1.1.0-rc.1        ; - ; 1.1.0-rc.2 1.1.0                ; takes 1.1.0       ; of 2 candidates
>=1.1.0-rc.1        ; - ; 1.1.0-rc.2 1.2.0-rc.1           ; takes 1.1.0-rc.2  ; of 1 candidate
>=1.1.0-rc.2        ; - ; 1.1.0-rc.1                      ; none              ; 1 pre-release that the range does not take
^2.0.0-beta.1       ; - ; 2.0.0-alpha.9 2.0.0-beta.4      ; takes 2.0.0-beta.4 ; of 1 candidate
<2.0.0              ; - ; 1.9.0 2.0.0-rc.1                ; takes 1.9.0       ; of 1 candidate
>=1.0.0-0 <2.0.0 [pre] ; - ; 1.5.0 1.6.0-rc.1 2.0.0-rc.1  ; takes 1.6.0-rc.1  ; of 2 candidates
>=1.0.0 [pre]       ; - ; 1.0.0-rc.1 1.0.0                ; takes 1.0.0       ; of 1 candidate
>=1.0.0 [pre]       ; - ; 1.0.0-rc.1                      ; none              ; 1 out of range (1.0.0-rc.1)
1.x [pre]           ; - ; 1.4.0 1.5.0-alpha 2.0.0-alpha   ; takes 1.5.0-alpha ; of 2 candidates
>=1.0.0-0           ; - ; 1.0.0-rc9 1.0.0-rc10            ; takes 1.0.0-rc9   ; of 2 candidates
>=1.0.0-0 [rc]      ; - ; 1.0.0-rc9 1.0.0-rc10            ; takes 1.0.0-rc10  ; of 2 candidates
>=1.0.0-rc9 [rc]    ; - ; 1.0.0-rc8 1.0.0-rc9 1.0.0-rc10  ; takes 1.0.0-rc10  ; of 2 candidates
>=1.0.0-rc9         ; - ; 1.0.0-rc8 1.0.0-rc10            ; none              ; 2 pre-releases that the range does not take (as 1.0.0-rc8)
>=1.0.0-0           ; - ; 1.0.0-rc.9 1.0.0-rc.10          ; takes 1.0.0-rc.10 ; of 2 candidates
>=1.0.0-0 [rc]      ; - ; 1.0.0-beta20 1.0.0-rc1          ; takes 1.0.0-rc1   ; of 2 candidates
>=1.0.0-0 [rc]      ; - ; 1.0.0-rc2 1.0.0                 ; takes 1.0.0       ; of 2 candidates
>=1.0.0-0 [rc]      ; - ; 1.0.0-rc9@a 1.0.0-rc09@b        ; ambiguous 1.0.0-rc09 1.0.0-rc9 ; the same version is several images
"
        ) >= 21
    );
}

#[test]
fn twins_are_one_version() {
    assert!(
        check(
            "
>=1.0.0 ; - ; v1.0.1@a 1.0.1@a             ; takes 1.0.1  ; 1.0.1 is the highest version
>=1.0.0 ; - ; v1.0.1@a 1.0.1@b             ; ambiguous 1.0.1 v1.0.1 ; the same version is several images: 1.0.1 (sha256:bbbbbbbbbbbb) and v1.0.1 (sha256:aaaaaaaaaaaa)
>=1.0.0 ; - ; v1.0.1@a 1.0.1@b 1.0.2       ; takes 1.0.2  ; of 3 candidates
>=1.0.0 ; 1.0.0 ; 1.0.0 v1.0.1@a 1.0.1@b   ; ambiguous 1.0.1 v1.0.1 ; several images
>=1.0.0 ; 1.0.2 ; 1.0.2 v1.0.1@a 1.0.1@b   ; current      ; 1.0.2 is the highest version
>=1.0.0 ; - ; 1.0.1_1@a 1.0.1_2@b          ; ambiguous 1.0.1_1 1.0.1_2 ; several images
>=1.0.0 ; - ; 1.0.1_1@a 1.0.1_2@a          ; takes 1.0.1_1 ; of 2 candidates
>=1.0.0 ; - ; 1.0.1_9@a 1.0.2_1@b          ; takes 1.0.2_1 ; of 2 candidates
>=1.0.0 ; - ; 1.0.1+1@a 1.0.1+2@b          ; ambiguous 1.0.1+1 1.0.1+2 ; several images
>=1.0.0 ; - ; 1.0.1@a 1.0.1@b              ; ambiguous 1.0.1 ; one tag is listed with several images
>=1.0.0 ; - ; 1.0.1@a 1.0.1@a              ; takes 1.0.1  ; of 1 candidate
>=1.0.0 ; v1.0.1@a ; v1.0.1@a 1.0.1@a      ; current      ; v1.0.1 is the highest version
>=1.0.0 ; 1.0.1@a  ; v1.0.1@a 1.0.1@a      ; current      ; 1.0.1 is the highest version
>=1.0.0 ; 1.0.1@a  ; v1.0.1@a              ; current      ; 1.0.1 is the highest version
>=1.0.0 ; 1.0.1@a  ; 1.0.1@a v1.0.1@b      ; ambiguous 1.0.1 v1.0.1 ; several images
>=1.0.0 ; 1.0.1@a  ; 1.0.1@b               ; keeps        ; 1.0.1 was chosen as sha256:aaaaaaaaaaaa and stays so, although 1.0.1 is sha256:bbbbbbbbbbbb now
>=1.0.0 ; 1.0.1@a  ; 1.0.1@b 1.0.2@c       ; takes 1.0.2  ; highest
>=1.0.0 ; 1.0.0@a  ; 1.0.0@a 1.0.1@a       ; takes 1.0.1  ; highest
numeric ; - ; 007@a 7@b                    ; ambiguous 007 7 ; several images
numeric ; - ; 007@a 7@a                    ; takes 007    ; highest number
alphabetical [pattern=^(a|b)-(?<version>.*)$] ; - ; a-x@a b-x@b ; ambiguous a-x b-x ; several images
"
        ) >= 21
    );
}

#[test]
fn numbers_texts_and_moving_tags() {
    assert!(
        check(
            "
numeric ; - ; 9 10 2                       ; takes 10     ; 10 is the highest number, of 3 candidates
lowest  ; - ; 9 10 2                       ; takes 2      ; 2 is the lowest number
numeric ; - ; 009 0010                     ; takes 0010   ; highest
numeric ; - ; 99999999999999999999 100000000000000000000 ; takes 100000000000000000000 ; highest
numeric ; - ; 1 two 3.0 -4 latest          ; takes 1      ; of 1 candidate
numeric ; - ; main latest                  ; none         ; 2 without versions (as main)
numeric [pattern=^main-[0-9a-f]+-(?<version>[0-9]+)$] ; - ; main-9c1f-1700000001 main-ffff-1700000000 dev-0000-1800000000 ; takes main-9c1f-1700000001 ; of 2 candidates
numeric ; 10 ; 9 10                        ; current      ; highest
numeric ; 10 ; 9                           ; keeps        ; 10 stays: 9 is the highest number, of 1 candidate, but behind it
lowest  ; 2 ; 2 9 1                        ; takes 1      ; lowest
lowest  ; 2 ; 9                            ; keeps        ; does not go back by itself
alphabetical ; - ; 20260101 20261121 20251231 ; takes 20261121 ; last in the alphabet
first   ; - ; b a c                        ; takes a      ; first in the alphabet
alphabetical ; - ; rc9 rc10                ; takes rc9    ; last in the alphabet
alphabetical ; - ; A a                     ; takes a      ; last
alphabetical [pattern=^release-] ; - ; release-1 release-2 zzz ; takes release-2 ; of 2 candidates
alphabetical ; x ; a                       ; keeps        ; does not go back by itself
tag=main ; - ; main@a 1.0.0@b              ; takes main   ; main is the image that the tag main names
tag=main ; main@a ; main@a                 ; current      ; main is the image that the tag main names
tag=main ; main@a ; main@b                 ; takes main   ; main is the image that the tag main names
tag=main ; - ; Main master                 ; none         ; no candidate
tag=main ; main@a ; dev@a                  ; none         ; main stays: no candidate for the image that the tag main names among 1 tag
tag=main ; main@a ; main@b:archived        ; none         ; 1 archived (main)
tag=main ; main@a ; main@b main@c          ; ambiguous main ; one tag is listed with several images
tag=main ; 1.4.0@a ; main@a 1.4.0@a        ; takes main   ; main is the image
>=1.0.0 ; main@a ; main@a 1.4.0@b          ; takes 1.4.0  ; highest
"
        ) >= 26
    );
}

#[test]
fn filters_and_entries_that_are_no_candidates() {
    assert!(
        check(
            "
>=1.0.0 [pattern=^v(?<version>.+)$]   ; - ; v1.0.0 1.5.0 v1.2.0     ; takes v1.2.0 ; of 2 candidates
>=1.0.0 [pattern=^api-(?<version>.+)$] ; - ; api-1.0.0 web-2.0.0    ; takes api-1.0.0 ; of 1 candidate
>=1.0.0 [pattern=^(?<version>[0-9.]+)-alpine$] ; - ; 1.0.0-alpine 1.1.0 1.2.0-debian ; takes 1.0.0-alpine ; of 1 candidate
>=1.0.0 [pattern=^1[.]]               ; - ; 1.4.0 2.0.0             ; takes 1.4.0 ; of 1 candidate
>=1.0.0 [pattern=^v(?<version>.+)$]   ; - ; 1.5.0                   ; none ; 1 not matching the pattern (1.5.0)
>=1.0.0 [not=^1[.]5[.]]               ; - ; 1.4.0 1.5.0 1.5.1       ; takes 1.4.0 ; of 1 candidate
>=1.0.0 [not=^1[.]5 not=^1[.]4]       ; - ; 1.3.0 1.4.0 1.5.1       ; takes 1.3.0 ; of 1 candidate
>=1.0.0 [not=.*]                      ; - ; 1.3.0 1.4.0             ; none ; 2 excluded (as 1.4.0)
>=1.0.0                               ; - ; 1.3.0 1.4.0:archived    ; takes 1.3.0 ; of 1 candidate
>=1.0.0                               ; - ; 1.4.0:archived          ; none ; 1 archived (1.4.0)
>=1.0.0                               ; - ; 1.3.0 1.4.0:restoring   ; takes 1.3.0 ; of 1 candidate
>=1.0.0                               ; - ; 1.3.0 9.0.0:helm        ; takes 1.3.0 ; of 1 candidate
>=1.0.0                               ; - ; 9.0.0:helm              ; none ; 1 signature or other artifact (9.0.0)
alphabetical                          ; - ; aa@a sig=a att=a sbom=a ; takes aa ; of 1 candidate
alphabetical                          ; - ; sig=a att=a             ; none ; 2 signatures and other artifacts
>=1.0.0                               ; - ; 1.0.0@a notary=a        ; takes 1.0.0 ; of 1 candidate
>=1.0.0                               ; 1.4.0 ; 1.3.0 1.4.0:archived ; keeps ; 1.4.0 stays: 1.3.0 is the highest version
"
        ) >= 17
    );
}
