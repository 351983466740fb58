//! Any text as a configuration: valid, or refused with at least one problem.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The masks, profiles and password files that it names are looked for
    // beside it: in a folder that holds nothing else.
    let folder = std::env::temp_dir().join(format!("greyplane-fuzz-{}", std::process::id()));
    let path = folder.join("greyplane.toml");
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    std::fs::write(&path, text).expect("a temporary file can be written");
    match greyplane::config::load_covering(&path) {
        Ok((config, problems)) => {
            let whole = problems.is_empty();
            assert_eq!(greyplane::config::load(&path).is_ok(), whole);
            assert!(greyplane::config::diff(&config, &config).is_empty());
        }
        Err(problems) => assert!(!problems.is_empty() && !problems.to_string().is_empty()),
    }
});
