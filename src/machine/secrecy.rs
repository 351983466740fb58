//! What holds clear pictures in its memory must not be written to a disk when it
//! dies, nor be read by its neighbours.

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::io;

/// Switches core dumps of this process off: no core file (`RLIMIT_CORE`), and
/// none through a pipe either, which does not ask for that limit
/// (`PR_SET_DUMPABLE`, core(5)). The latter also keeps other processes of the
/// same user from attaching to it or reading its memory. To be called first of
/// all: threads and children made before are not concerned.
///
/// # Errors
/// What the system says. Then nothing clear may be received.
pub fn forbid_core_dumps() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(Resource::Core, none)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Whether core dumps of this process are off, as the system tells.
pub fn core_dumps_are_off() -> bool {
    let limit = rustix::process::getrlimit(Resource::Core);
    let dumpable = rustix::process::dumpable_behavior();
    limit.current == Some(0) && matches!(dumpable, Ok(DumpableBehavior::NotDumpable))
}
