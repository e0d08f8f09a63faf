//! Runs what is kept of the corpora again, without a fuzzer: what was once found stays mended.

use std::fs;
use std::path::Path;

#[test]
fn what_was_found_stays_mended() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, run) in signal_fuzz::TARGETS {
        let folder = corpora.join(name);
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut inputs = 0;
        for entry in entries {
            let path = entry.expect("a corpus can be listed").path();
            let input =
                fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            eprintln!("{}", path.display());
            run(&input);
            inputs += 1;
        }
        assert!(
            inputs > 0,
            "no corpus of the target {name} is kept: run cargo xtask fuzz {name}"
        );
    }
}
