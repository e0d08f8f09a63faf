//! See `src/relay_frame.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signal_fuzz::relay_frame::run(data));
