//! `greyplane openapi`: the HTTP API, described.

use super::Failure;
use anyhow::Context;
use greyplane::web;

#[allow(clippy::print_stdout, reason = "the answer to the person who asked")]
pub(super) fn run() -> Result<(), Failure> {
    print!("{}", web::openapi_json().context("the document")?);
    Ok(())
}
