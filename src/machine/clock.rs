//! Whether something keeps the machine's clock right.

use std::time::Duration;

/// The clock, as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDiscipline {
    /// Whether something keeps it right (NTP, PTP, a hypervisor's driver).
    pub synchronised: bool,
    /// How wrong it may be; grows while nothing keeps it right.
    pub error_bound: Duration,
}

/// Asks the kernel (adjtimex(2), changing nothing); none where it does not tell.
pub fn clock_discipline() -> Option<ClockDiscipline> {
    let mut told = std::mem::MaybeUninit::<libc::timex>::zeroed();
    #[allow(unsafe_code, reason = "no safe wrapper of adjtimex is in the tree")]
    // SAFETY: `timex` holds integers only, for which all zeros are valid; with
    // `modes` 0 the kernel only writes into it.
    let (state, told) = unsafe { (libc::adjtimex(told.as_mut_ptr()), told.assume_init()) };
    if state < 0 {
        return None;
    }
    let unsynchronised = state == libc::TIME_ERROR || told.status & libc::STA_UNSYNC != 0;
    // Microseconds.
    let bound = u64::try_from(told.maxerror).ok()?;
    Some(ClockDiscipline {
        synchronised: !unsynchronised,
        error_bound: Duration::from_micros(bound),
    })
}
