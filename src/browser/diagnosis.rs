//! Tells a page's author, who follows neither errors nor changes of state, why there is no
//! connection.

use std::rc::Rc;

use super::driver::Driver;
use super::fetch;
use crate::protocol::{Finding, Trouble};

/// Writes one warning to the console if there is trouble, after the server was asked what it is.
pub fn warn(driver: &Rc<Driver>, trouble: Option<Trouble>) {
    if let Some(trouble) = trouble
        && !driver.page.is_attentive()
    {
        let probes = trouble.probes();
        ask(Rc::clone(driver), trouble, probes.into_iter(), None);
    }
}

/// Asks the next address. `before` is what the last answer said.
fn ask(
    driver: Rc<Driver>,
    trouble: Trouble,
    mut probes: impl Iterator<Item = String> + 'static,
    before: Option<Finding>,
) {
    let Some(url) = probes.next() else {
        return driver.page.warn(&trouble.sentence(before.as_ref()));
    };
    fetch::probe(&url, move |found| match found {
        Some(found) if found.protocol.is_some() => {
            driver.page.warn(&trouble.sentence(Some(&found)));
        }
        // The first answer is that of the address which the page gave.
        found => ask(driver, trouble, probes, before.or(found)),
    });
}
