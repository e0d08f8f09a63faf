//! The npm package's build, `--cfg lean`: no standard library, for its panic messages and allocator would be a quarter of the package.
//!
//! A panic is a trap, as it is with `panic = "abort"`, only without a text that nobody would see. Nothing of ours panics; see the lints.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
