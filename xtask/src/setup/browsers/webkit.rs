//! WebKitGTK, which its driver starts, and a display without a screen, because it has no headless
//! mode.

use crate::problem::{Outcome, fail};
use crate::process::program;
use crate::setup::browsers::WebKit;

/// Debian's packages. The library's package holds the browser that the driver starts.
pub const PACKAGES: [&str; 3] = ["webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb"];

/// Finds the browser's driver, and the display. tests/support/webkit-driver.mjs runs them.
pub fn find() -> Outcome<WebKit> {
    let driver = program("WEBKITDRIVER", &["WebKitWebDriver"], &[])?;
    let display = program("XVFB", &["Xvfb"], &[])?;
    let (Some(driver), Some(display)) = (driver, display) else {
        fail!(
            "WebKitWebDriver or Xvfb isn't on PATH. On Debian: apt-get install {}, as root; elsewhere \
             install WebKitGTK's driver and xvfb, or set WEBKITDRIVER and XVFB to the paths of the two",
            PACKAGES.join(" ")
        );
    };
    Ok(WebKit { driver, display })
}
