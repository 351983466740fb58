//! The machine under the gateway: its clock's discipline, its disks, what our
//! process uses of it, what of our process it must never keep, and what our process
//! may no longer ask of it.
//!
//! Only asks and limits; must not know cameras, configuration or HTTP.

mod calls;
mod clock;
mod disk;
mod memory;
mod process;
mod secrecy;

pub use calls::{CannotRefuse, REFUSED, can_refuse_calls, refuse_calls};
pub use clock::{ClockDiscipline, clock_discipline};
pub use disk::{Space, may_write_in, or_here, space};
pub use memory::{give_back_memory, keep_few_pools};
pub use process::{Usage, is_root, open_files_limit, usage};
pub use secrecy::{core_dumps_are_off, forbid_core_dumps};
