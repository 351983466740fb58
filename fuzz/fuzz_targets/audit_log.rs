//! Any bytes as an audit log: whole, or faults that are named, and never more records
//! than lines.
#![no_main]

use greyplane::audit::{self, Asked, Filter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: (&[u8], &[u8], bool)| {
    let (segment, head, has_head) = parts;
    let folder = std::env::temp_dir().join(format!("greyplane-fuzz-audit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let at = folder.join("audit.head");
    std::fs::write(folder.join("audit-000001.jsonl"), segment).expect("a file can be written");
    match has_head {
        true => std::fs::write(&at, head).expect("a file can be written"),
        false => {
            let _ = std::fs::remove_file(&at);
        }
    }
    let lines = segment.split(|byte| *byte == b'\n').count() as u64;
    if let Ok(report) = audit::verify(&folder, Asked::default(), &|| true) {
        assert!(report.records <= lines);
        assert!(report.is_whole() || !report.faults.is_empty());
    }
    if let Ok(found) = audit::search(&folder, &Filter::default(), 100) {
        assert!(found.records.len() as u64 <= lines);
    }
});
