use super::*;
use crate::clock::{Clock, SimClock, WallTime};
use rcgen::{CertificateParams, KeyPair};
use std::fs::{Permissions, read_to_string, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// 2026-11-22.
const NOW: WallTime = WallTime(1_795_305_600_000_000_000);

fn files(folder: &Path) -> Files {
    Files {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    }
}

fn start(files: &Files) -> Result<Certificate, Unusable> {
    let settings = Settings {
        files: files.clone(),
        client_ca: None,
        protocols: vec![],
    };
    Certificate::start(settings, Arc::new(SimClock::at(NOW)) as Arc<dyn Clock>)
}

fn put(files: &Files, names: &[&str], years: std::ops::Range<i32>) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    write(&files.certificate, made.pem()).unwrap();
    write(&files.key, key.serialize_pem()).unwrap();
    set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn files_that_cannot_serve_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let says = |part: &str| {
        let said = start(&files).unwrap_err().to_string();
        assert!(said.contains(part), "{said} is not about: {part}");
    };
    says("certificate.pem cannot be read: No such file");
    put(&files, &["gate.example"], 2020..2040);
    let (certificate, key) = (
        read_to_string(&files.certificate).unwrap(),
        read_to_string(&files.key).unwrap(),
    );
    put(&files, &["other.example"], 2020..2040);
    let other = read_to_string(&files.key).unwrap();
    let sealed = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut = &certificate[..certificate.len() / 2];
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, part) in [
        ("", key.as_str(), "certificate.pem holds no certificate"),
        (cut, &key, "certificate.pem"),
        (garbage, &key, "certificate.pem"),
        ("\u{0}\u{1}not PEM", &key, "holds no certificate"),
        (&certificate, "", "key.pem holds no private key"),
        (&certificate, &sealed, "key.pem holds no private key"),
        (&certificate, &certificate, "key.pem holds no private key"),
        (&certificate, &other, "key.pem is not the key of"),
    ] {
        write(&files.certificate, certificate).unwrap();
        write(&files.key, key).unwrap();
        says(part);
    }
    write(&files.certificate, vec![b'x'; 2 << 20]).unwrap();
    says("larger than");
}

#[test]
fn what_is_not_as_it_should_be_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    for (years, mode, out_of_date, part) in [
        (2020..2040, 0o600, false, ""),
        (2020..2026, 0o600, true, "expired on 2026-01-01"),
        (2030..2040, 0o600, true, "holds only from 2030-01-01 on"),
        (2020..2040, 0o640, false, "open to others: chmod 600"),
        (2020..2040, 0o604, false, "open to others: chmod 600"),
    ] {
        put(&files, &["gate.example"], years);
        set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        let about = start(&files).unwrap().about();
        assert_eq!(about.out_of_date, out_of_date, "{about:?}");
        let told = about.warnings.join("; ");
        assert!(told.contains(part), "{told}");
        assert_eq!(told.is_empty(), part.is_empty(), "{told}");
    }
}

#[test]
fn a_pair_is_taken_only_when_both_halves_have_come() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    put(&files, &["first.example"], 2020..2040);
    let live = start(&files).unwrap();
    assert_eq!(live.renew(), Ok(None));
    let first = read_to_string(&files.key).unwrap();
    put(&files, &["second.example"], 2020..2040);
    let second = read_to_string(&files.key).unwrap();
    write(&files.key, first).unwrap();
    assert!(matches!(live.renew(), Err(Unusable::NotAPair { .. })));
    assert_eq!(live.about().names[0], "first.example");
    write(&files.key, second).unwrap();
    let taken = live.renew().unwrap().unwrap();
    assert_eq!(taken.names[0], "second.example");
    assert_eq!(live.about(), taken);
    assert_eq!(live.renew(), Ok(None));
}

#[test]
fn our_own_certificate_is_made_once_for_its_owner_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let names = ["gateway.example".to_owned(), "10.0.0.7".to_owned()];
    let make = |now| make_own(&files, &names, WallTime(now));
    // A clock that was never set must not make it end in the past.
    assert!(make(0).unwrap());
    let mode = files.key.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let about = start(&files).unwrap().about();
    assert_eq!(about.names, ["gateway.example"]);
    assert!(about.warnings.is_empty(), "{about:?}");
    assert_eq!(about.until.year(), 2035);
    assert_eq!(about.fingerprint.len(), 95);

    let (certificate, key) = (
        read_to_string(&files.certificate).unwrap(),
        read_to_string(&files.key).unwrap(),
    );
    assert!(!make(NOW.0).unwrap());
    assert_eq!(read_to_string(&files.certificate).unwrap(), certificate);
    std::fs::remove_file(&files.certificate).unwrap();
    let half = make(NOW.0).unwrap_err();
    assert!(matches!(half, CannotMake::Half { .. }), "{half}");
    assert_eq!(read_to_string(&files.key).unwrap(), key);
    // Where the certificate cannot be written, no key is left behind.
    std::fs::remove_file(&files.key).unwrap();
    let nowhere = Files {
        certificate: folder.path().join("missing/certificate.pem"),
        key: files.key.clone(),
    };
    let refused = make_own(&nowhere, &names, NOW).unwrap_err();
    assert!(matches!(refused, CannotMake::Write { .. }), "{refused}");
    assert!(!files.key.exists());
}

#[test]
fn names_of_viewers() {
    let of = |names: &[&str], common: &str| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        names_in(made.der())
    };
    assert_eq!(of(&[], "control-room"), ["control-room"]);
    assert_eq!(of(&["a.example", "10.0.0.7"], "b"), ["a.example", "b"]);
    assert_eq!(of(&["a.example"], "a.example"), ["a.example"]);
    assert_eq!(names_in(b"no certificate"), Vec::<String>::new());
}
