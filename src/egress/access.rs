//! Who may watch which cameras, and how they show who they are.

use crate::secret::Secret;

/// Who may watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone who can reach the address.
    Open,
    /// These, each at least one, names and certificates given once.
    Accounts(Vec<Account>),
}

/// Somebody who may watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// How it shows that it is the one.
    pub proof: Proof,
    /// What it may watch.
    pub cameras: Cameras,
}

/// How somebody shows who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password, by RTSP Digest (RFC 2617).
    Password(Secret),
    /// A certificate with this name (an alternative name or the common name),
    /// signed by those whom the server trusts.
    Certificate(String),
}

/// Which cameras.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cameras {
    /// All, and those that are added later.
    All,
    /// Those of these ids.
    Only(Vec<String>),
}

impl Account {
    /// One that may watch everything and shows `password`.
    pub fn with_password(name: impl Into<String>, password: Secret) -> Self {
        Self {
            name: name.into(),
            proof: Proof::Password(password),
            cameras: Cameras::All,
        }
    }

    /// Whether whatever `other` may, `self` may too, and in the same way.
    fn includes(&self, other: &Self) -> bool {
        let as_much = match (&self.cameras, &other.cameras) {
            (Cameras::All, _) => true,
            (Cameras::Only(_), Cameras::All) => false,
            (Cameras::Only(all), Cameras::Only(some)) => some.iter().all(|c| all.contains(c)),
        };
        as_much && (&self.name, &self.proof) == (&other.name, &other.proof)
    }
}

impl Cameras {
    /// Whether `camera` is among them.
    pub fn include(&self, camera: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.iter().any(|c| c == camera),
        }
    }
}

impl Access {
    /// Whether everyone whom `other` lets in is let in, to as much.
    pub(super) fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open, _) => true,
            (Self::Accounts(_), Self::Open) => false,
            (Self::Accounts(all), Self::Accounts(some)) => {
                some.iter().all(|s| all.iter().any(|a| a.includes(s)))
            }
        }
    }

    /// Whether `who`, who has shown to be that, may watch `camera`. It need not
    /// exist.
    pub(super) fn lets(&self, who: Option<&str>, camera: &str) -> bool {
        match self {
            Self::Open => true,
            Self::Accounts(all) => all
                .iter()
                .any(|a| Some(a.name.as_str()) == who && a.cameras.include(camera)),
        }
    }

    /// Whose certificate it is that names `names`.
    pub(super) fn whose(&self, names: &[String]) -> Option<String> {
        let Self::Accounts(all) = self else {
            return None;
        };
        let shown = |a: &&Account| matches!(&a.proof, Proof::Certificate(n) if names.contains(n));
        all.iter().find(shown).map(|a| a.name.clone())
    }

    /// Everyone's name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Self::Open => &[][..],
            Self::Accounts(all) => all,
        };
        all.iter().map(|a| a.name.as_str())
    }

    /// Those with passwords.
    pub(super) fn passwords(&self) -> impl Iterator<Item = (&str, &Secret)> {
        let all = match self {
            Self::Open => &[][..],
            Self::Accounts(all) => all,
        };
        all.iter().filter_map(|a| match &a.proof {
            Proof::Password(password) => Some((a.name.as_str(), password)),
            Proof::Certificate(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, password: &str, cameras: &[&str]) -> Account {
        let only = cameras.iter().map(ToString::to_string).collect();
        Account {
            cameras: match cameras {
                [] => Cameras::All,
                _ => Cameras::Only(only),
            },
            ..Account::with_password(name, Secret::new(password))
        }
    }

    #[test]
    fn a_right_that_is_taken_away_is_noticed() {
        let of = |all: &[Account]| Access::Accounts(all.to_vec());
        let (a, b) = (account("a", "1", &[]), account("b", "2", &["gate"]));
        let old = of(&[a.clone(), b.clone()]);
        for (new, keeps) in [
            (old.clone(), true),
            (Access::Open, true),
            (of(&[b.clone(), a.clone()]), true),
            (of(&[a.clone(), account("b", "2", &[])]), true),
            (of(&[a.clone(), account("b", "2", &["gate", "x"])]), true),
            (of(std::slice::from_ref(&a)), false),
            (of(&[account("a", "3", &[]), b.clone()]), false),
            (of(&[account("a", "1", &["gate"]), b.clone()]), false),
            (of(&[a.clone(), account("b", "2", &["x"])]), false),
        ] {
            assert_eq!(new.includes(&old), keeps, "{new:?}");
        }
        assert!(!old.includes(&Access::Open));
    }

    #[test]
    fn only_the_cameras_of_the_account() {
        let access = Access::Accounts(vec![account("a", "1", &[]), account("b", "2", &["gate"])]);
        for (who, camera, may) in [
            (Some("a"), "gate", true),
            (Some("a"), "anything", true),
            (Some("b"), "gate", true),
            (Some("b"), "street", false),
            (Some("b"), "", false),
            (Some("c"), "gate", false),
            (None, "gate", false),
        ] {
            assert_eq!(access.lets(who, camera), may, "{who:?} {camera}");
        }
        assert!(Access::Open.lets(None, "gate"));
    }
}
