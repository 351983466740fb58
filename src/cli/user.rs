//! `greyplane user`: the accounts of the console.

use super::Failure;
use anyhow::{Context, anyhow};
use clap::Subcommand;
use greyplane::secret::Secret;
use greyplane::users::{PasswordHash, Role, User, Users};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The accounts' file, as `[console] users` in the configuration names it.
    #[arg(long, global = true, default_value = "users.toml")]
    users: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an account; asks for its password, or reads it from standard input.
    Add(Add),
    /// Change the password of an account, which ends its sessions.
    Password {
        /// Whose.
        name: String,
    },
    /// Take an account away, which ends its sessions.
    Remove {
        /// Whose.
        name: String,
    },
    /// List the accounts: names, roles, cameras.
    List,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// 1 to 64 letters, digits, `.`, `-`, `_` and `@`.
    name: String,
    /// What this person may do; may be given several times.
    #[arg(long = "role", required = true, value_parser = role)]
    roles: Vec<Role>,
    /// The id of a camera this person may see, or `*` for all; may be given several times.
    #[arg(long = "camera", required = true, value_name = "ID")]
    cameras: Vec<String>,
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.into_iter().find(|role| role.name() == text);
    known.ok_or_else(|| format!("known roles: {}", Role::ALL.map(Role::name).join(", ")))
}

impl Args {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let file = &self.users;
        match self.action {
            Action::Add(add) => {
                let mut users = match Users::read(file) {
                    Err(error) if error.missing => Users::default(),
                    read => read.map_err(usage)?,
                };
                if users.find(&add.name).is_some() {
                    let name = &add.name;
                    return Err(usage(anyhow!(
                        "there is a user `{name}` already; `greyplane user password {name}` changes the password"
                    )));
                }
                let user = User {
                    password: ask_password(&add.name)?,
                    name: add.name,
                    roles: add.roles,
                    cameras: add.cameras,
                };
                users.add(user).map_err(usage)?;
                write(&users, file)
            }
            Action::Password { name } => {
                let mut users = Users::read(file).map_err(usage)?;
                known(&users, &name)?;
                users.set_password(&name, ask_password(&name)?);
                write(&users, file)
            }
            Action::Remove { name } => {
                let mut users = Users::read(file).map_err(usage)?;
                known(&users, &name)?;
                users.remove(&name);
                write(&users, file)
            }
            Action::List => {
                list(&Users::read(file).map_err(usage)?).context("standard output")?;
                Ok(())
            }
        }
    }
}

fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Usage(error.into())
}

fn known(users: &Users, name: &str) -> Result<(), Failure> {
    match users.find(name) {
        Some(_) => Ok(()),
        None => Err(usage(anyhow!(
            "there is no user `{name}`; `greyplane user list` names all"
        ))),
    }
}

fn write(users: &Users, file: &Path) -> Result<(), Failure> {
    Ok(users.write(file).context("the accounts were not changed")?)
}

fn list(users: &Users) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for user in users.iter() {
        let roles: Vec<&str> = user.roles.iter().map(|r| r.name()).collect();
        let (roles, cameras) = (roles.join(","), user.cameras.join(","));
        writeln!(out, "{}\t{roles}\t{cameras}", user.name)?;
    }
    Ok(())
}

/// Asks twice at a terminal; elsewhere takes the first line of standard input.
fn ask_password(name: &str) -> Result<PasswordHash, Failure> {
    let stdin = std::io::stdin();
    let text = if stdin.is_terminal() {
        let first =
            rpassword::prompt_password(format!("Password for {name}: ")).context("the terminal")?;
        let second = rpassword::prompt_password("The same again: ").context("the terminal")?;
        if first != second {
            return Err(usage(anyhow!(
                "the two passwords differ; nothing was changed"
            )));
        }
        first
    } else {
        let mut line = String::new();
        let most = 4096;
        stdin
            .lock()
            .take(most)
            .read_line(&mut line)
            .context("standard input")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    PasswordHash::of(&Secret::new(text)).map_err(usage)
}
