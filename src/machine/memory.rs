//! How this process keeps memory that it does not use.

/// Pools that glibc's allocator may keep. Every connection to a camera brings
/// threads of its own, each may get a pool of its own (eight for each core), and
/// none gives back what its connection left: `design/026-faults.md` has the figures.
#[cfg(target_env = "gnu")]
const POOLS: libc::c_int = 2;

/// Limits the allocator's pools, so that memory does not grow with every
/// connection that comes and goes. To be called before threads are started. Does
/// nothing where the C library has no such pools.
pub fn keep_few_pools() {
    #[cfg(target_env = "gnu")]
    {
        #[allow(unsafe_code, reason = "no safe wrapper of mallopt is in the tree")]
        // SAFETY: mallopt(3) takes two numbers, keeps no pointer, and refuses what it
        // does not know with 0.
        let taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, POOLS) };
        if taken == 0 {
            tracing::debug!("the allocator keeps as many pools as it likes");
        }
    }
}

/// Gives the allocator's free pages back to the machine. What a connection to a camera
/// leaves is too small, each piece by itself, to go back on its own. Holds up whoever
/// allocates meanwhile, for a few milliseconds. Does nothing where the C library
/// cannot do it.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    {
        #[allow(unsafe_code, reason = "no safe wrapper of malloc_trim is in the tree")]
        // SAFETY: malloc_trim(3) takes how many bytes to keep at the top, touches free
        // memory only, and may be called from any thread.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}
