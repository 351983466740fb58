//! Cases of accounts and their file.

use super::*;
use crate::secret::Secret;

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn user(name: &str, roles: &[Role], cameras: &[&str]) -> User {
    User {
        name: name.into(),
        password: PasswordHash::of(&secret("correct horse battery")).unwrap(),
        roles: roles.to_vec(),
        cameras: cameras.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_password_is_known_again_and_no_other() {
    let hash = PasswordHash::of(&secret("correct horse battery")).unwrap();
    assert!(hash.is_of(&secret("correct horse battery")));
    for other in ["", "correct horse batterY", &"x".repeat(100_000)] {
        assert!(!hash.is_of(&secret(other)));
    }
    let again = PasswordHash::of(&secret("correct horse battery")).unwrap();
    assert_ne!(
        hash.as_text(),
        again.as_text(),
        "each has a salt of its own"
    );
    assert!(hash.as_text().starts_with("$argon2id$v=19$"));
    assert!(!format!("{hash:?}").contains("argon2"));
    for length in [0, MIN_PASSWORD - 1, MAX_PASSWORD + 1] {
        let refused = PasswordHash::of(&secret(&"a".repeat(length)));
        assert_eq!(refused, Err(UnfitPassword::Length(length)));
    }
}

#[test]
fn accounts_must_be_as_they_must_be() {
    let mut users = Users::default();
    users
        .add(user("anna", &[Role::Observer], &["market"]))
        .unwrap();
    let refused = [
        (user("anna", &[Role::Admin], &["*"]), "already"),
        (user("", &[Role::Admin], &["*"]), "user name"),
        (user("../x", &[Role::Admin], &["*"]), "user name"),
        (user("a b", &[Role::Admin], &["*"]), "user name"),
        (user("bert", &[], &["*"]), "no role"),
        (user("bert", &[Role::Admin, Role::Admin], &["*"]), "twice"),
        (user("bert", &[Role::Admin], &[]), "no cameras"),
    ];
    for (user, why) in refused {
        let said = users.add(user).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(users.iter().count(), 1);
    let anna = users.find("anna").unwrap();
    assert!(anna.sees("market") && !anna.sees("harbour") && !anna.sees("*x"));
    assert!(anna.has_any(&[Role::Admin, Role::Observer]) && !anna.has_any(&[Role::Officer]));
    assert!(!users.remove("bert") && users.remove("anna") && users.is_empty());
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    assert!(Users::read(&file).unwrap_err().missing);
    let mut users = Users::default();
    users
        .add(user("anna", &[Role::Observer, Role::Integrator], &["*"]))
        .unwrap();
    users
        .add(user("bert@stad", &[Role::Officer], &["market", "harbour"]))
        .unwrap();
    users.write(&file).unwrap();
    assert_eq!(Users::read(&file).unwrap(), users);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("correct horse"));

    for (change, to, why) in [
        ("format = 1", "format = 2", "format 2"),
        ("roles", "rolls", "unknown field"),
        ("\"observer\"", "\"boss\"", "unknown variant"),
        ("$argon2id$", "$argon2i$", "no Argon2id hash"),
        ("name = \"bert@stad\"", "name = \"anna\"", "already"),
        ("format = 1", "form", "expected"),
    ] {
        std::fs::write(&file, text.replace(change, to)).unwrap();
        let said = Users::read(&file).unwrap_err().to_string();
        assert!(said.contains(why), "{change} → {to}: {said}");
    }
    std::fs::write(&file, "#".repeat(MAX_BYTES as usize + 1)).unwrap();
    assert!(
        Users::read(&file)
            .unwrap_err()
            .to_string()
            .contains("larger")
    );
}
