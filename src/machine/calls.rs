//! What this process may no longer ask of the kernel once it has begun.
//!
//! A list of what a gateway never needs, not of what it needs: encoders, their drivers
//! and ONNX Runtime are other people's, and what they ask for changes with each version.
//! The service's unit has such a list beside this one.

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads, sock_filter,
};
use std::collections::BTreeMap;
use std::env::consts::ARCH;

/// What is refused whatever is asked of it, by name: `EPERM`.
pub const REFUSED: &[(&str, c_long)] = &[
    // Another program, and another process (`clone` and `clone3`: see below).
    ("execve", libc::SYS_execve),
    ("execveat", libc::SYS_execveat),
    #[cfg(target_arch = "x86_64")]
    ("fork", libc::SYS_fork),
    #[cfg(target_arch = "x86_64")]
    ("vfork", libc::SYS_vfork),
    // The memory and the files of other processes.
    ("ptrace", libc::SYS_ptrace),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("process_madvise", libc::SYS_process_madvise),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("userfaultfd", libc::SYS_userfaultfd),
    // Calls that are made where this filter does not see them.
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("io_uring_enter", libc::SYS_io_uring_enter),
    ("io_uring_register", libc::SYS_io_uring_register),
    // What runs in the kernel, or looks into it.
    ("bpf", libc::SYS_bpf),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("delete_module", libc::SYS_delete_module),
    ("kexec_load", libc::SYS_kexec_load),
    #[cfg(target_arch = "x86_64")]
    ("kexec_file_load", libc::SYS_kexec_file_load),
    ("syslog", libc::SYS_syslog),
    // Other file systems, roots and namespaces, and files by handles that ask no folder.
    ("mount", libc::SYS_mount),
    ("umount2", libc::SYS_umount2),
    ("open_tree", libc::SYS_open_tree),
    ("move_mount", libc::SYS_move_mount),
    ("fsopen", libc::SYS_fsopen),
    ("fsconfig", libc::SYS_fsconfig),
    ("fsmount", libc::SYS_fsmount),
    ("fspick", libc::SYS_fspick),
    ("mount_setattr", libc::SYS_mount_setattr),
    ("pivot_root", libc::SYS_pivot_root),
    ("chroot", libc::SYS_chroot),
    ("setns", libc::SYS_setns),
    ("unshare", libc::SYS_unshare),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("mknodat", libc::SYS_mknodat),
    #[cfg(target_arch = "x86_64")]
    ("mknod", libc::SYS_mknod),
    ("fanotify_init", libc::SYS_fanotify_init),
    // Another user, and more rights. It never changes who it is.
    ("setuid", libc::SYS_setuid),
    ("setgid", libc::SYS_setgid),
    ("setreuid", libc::SYS_setreuid),
    ("setregid", libc::SYS_setregid),
    ("setresuid", libc::SYS_setresuid),
    ("setresgid", libc::SYS_setresgid),
    ("setfsuid", libc::SYS_setfsuid),
    ("setfsgid", libc::SYS_setfsgid),
    ("setgroups", libc::SYS_setgroups),
    ("capset", libc::SYS_capset),
    // Other people's keys.
    ("add_key", libc::SYS_add_key),
    ("request_key", libc::SYS_request_key),
    ("keyctl", libc::SYS_keyctl),
    // The machine.
    ("reboot", libc::SYS_reboot),
    ("swapon", libc::SYS_swapon),
    ("swapoff", libc::SYS_swapoff),
    ("settimeofday", libc::SYS_settimeofday),
    ("clock_settime", libc::SYS_clock_settime),
    ("sethostname", libc::SYS_sethostname),
    ("setdomainname", libc::SYS_setdomainname),
    ("acct", libc::SYS_acct),
    ("quotactl", libc::SYS_quotactl),
    ("vhangup", libc::SYS_vhangup),
    // Address randomisation off, and other such doors.
    ("personality", libc::SYS_personality),
    #[cfg(target_arch = "x86_64")]
    ("iopl", libc::SYS_iopl),
    #[cfg(target_arch = "x86_64")]
    ("ioperm", libc::SYS_ioperm),
    #[cfg(target_arch = "x86_64")]
    ("modify_ldt", libc::SYS_modify_ldt),
];

/// Families of sockets that are not refused: files' and networks', and the kernel's
/// answers about networks.
const FAMILIES: [libc::c_int; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Packets by a door older than `AF_PACKET` (packet(7)).
const SOCK_PACKET: libc::c_int = 10;

/// From this number on x86-64 has the same calls a second time, for x32.
const X32: u32 = 0x4000_0000;

/// Why the process may still ask for everything.
#[derive(Debug, thiserror::Error)]
pub enum CannotRefuse {
    /// There is no such filter for this kind of machine.
    #[error("system calls of {ARCH} cannot be filtered")]
    Machine,
    /// The kernel does not take the filter, for one thread or for all.
    #[error("the kernel takes no filter of system calls: {0}")]
    Kernel(#[from] seccompiler::Error),
}

/// Refuses [`REFUSED`], other processes, other families of sockets and raw ones, commands
/// typed into terminals, and core dumps once more, for every thread there is and will be
/// and for good. New rights are out of reach as well (`no_new_privs`). To be called when
/// nobody will need another program any more.
///
/// # Errors
/// [`CannotRefuse`]. Then some or none of it is refused.
pub fn refuse_calls() -> Result<(), CannotRefuse> {
    let filter = filter().map_err(seccompiler::Error::from)?;
    let filter = filter.ok_or(CannotRefuse::Machine)?;
    apply_filter_all_threads(&filter)?;
    apply_filter_all_threads(&not_implemented())?;
    Ok(())
}

/// Whether [`refuse_calls`] can be expected to work; none where the kernel does not tell.
pub fn can_refuse_calls() -> Option<bool> {
    let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").ok()?;
    let has_errno = actions.split_whitespace().any(|action| action == "errno");
    Some(has_errno && TargetArch::try_from(ARCH).is_ok())
}

/// What is refused with `EPERM`; none for this kind of machine.
fn filter() -> Result<Option<BpfProgram>, seccompiler::BackendError> {
    let Ok(machine) = TargetArch::try_from(ARCH) else {
        return Ok(None);
    };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED
        .iter()
        .map(|&(_, number)| (number, Vec::new()))
        .collect();
    rules.insert(libc::SYS_clone, processes()?);
    rules.insert(libc::SYS_socket, sockets()?);
    rules.insert(libc::SYS_ioctl, terminals()?);
    rules.insert(libc::SYS_prctl, vec![dumpable()?]);
    let eperm = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    // Calls by the numbers of another machine end the process.
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, eperm, machine)?;
    filter.try_into().map(Some)
}

/// `clone` that makes no thread, or one in namespaces of its own.
fn processes() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let flags = |mask: libc::c_int, value: libc::c_int| {
        let mask = SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned()));
        SeccompRule::new(vec![argument(0, mask, value)?])
    };
    let mut rules = vec![flags(libc::CLONE_THREAD, 0)?];
    for space in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ] {
        rules.push(flags(space, space)?);
    }
    Ok(rules)
}

/// `socket` of any other family, or of packets as they are on the wire.
fn sockets() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let others = FAMILIES.map(|family| argument(0, SeccompCmpOp::Ne, family));
    let mut rules = vec![SeccompRule::new(
        others.into_iter().collect::<Result<_, _>>()?,
    )?];
    // The lowest bits of the second argument; above them are flags.
    const KIND: u64 = 0xf;
    for family in [libc::AF_INET, libc::AF_INET6] {
        for kind in [libc::SOCK_RAW, SOCK_PACKET] {
            rules.push(SeccompRule::new(vec![
                argument(0, SeccompCmpOp::Eq, family)?,
                argument(1, SeccompCmpOp::MaskedEq(KIND), kind)?,
            ])?);
        }
    }
    Ok(rules)
}

/// `ioctl` that types into the terminal from which somebody started us.
fn terminals() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let typed = [libc::TIOCSTI, libc::TIOCLINUX].map(|request| {
        let request = SeccompCondition::new(
            1,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            u64::from(request as u32),
        );
        SeccompRule::new(vec![request?])
    });
    typed.into_iter().collect()
}

/// `prctl` that makes core dumps possible again, or lets neighbours look.
fn dumpable() -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![
        argument(0, SeccompCmpOp::Eq, libc::PR_SET_DUMPABLE)?,
        argument(1, SeccompCmpOp::Ne, 0)?,
    ])
}

/// A condition on the lower half of an argument, which is all that the kernel takes of it.
fn argument(
    index: u8,
    compared: SeccompCmpOp,
    with: libc::c_int,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    let with = u64::from(with.cast_unsigned());
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, compared, with)
}

/// `ENOSYS` for `clone3`, whose flags a filter cannot read: the C library turns to `clone`
/// then, as on kernels that had no other. And for all of x32, whose numbers nothing above
/// knows. The machine was looked at by the other filter.
fn not_implemented() -> BpfProgram {
    let step = |code: u32, (jt, jf): (u8, u8), k: u32| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    // The number of the call is the first of what a filter sees (seccomp(2)).
    vec![
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, (0, 0), 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, (2, 0), X32),
        step(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            (1, 0),
            libc::SYS_clone3 as u32,
        ),
        step(libc::BPF_RET | libc::BPF_K, (0, 0), libc::SECCOMP_RET_ALLOW),
        step(
            libc::BPF_RET | libc::BPF_K,
            (0, 0),
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs(),
        ),
    ]
}
