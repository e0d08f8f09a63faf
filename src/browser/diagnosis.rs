//! Tells a page's author, who follows neither errors nor changes of state, why there is no
//! connection.

use std::rc::Rc;

use super::events::Page;
use super::fetch;
use crate::protocol::{Finding, Trouble};

/// Writes one warning to the console if there is trouble, after the server was asked what it is.
pub fn warn(page: &Rc<Page>, trouble: Option<Trouble>) {
    if let Some(trouble) = trouble
        && !page.is_attentive()
    {
        let probes = trouble.probes();
        ask(Rc::clone(page), trouble, probes.into_iter(), None);
    }
}

/// Asks the next address. `before` is what the last answer said.
fn ask(
    page: Rc<Page>,
    trouble: Trouble,
    mut probes: impl Iterator<Item = String> + 'static,
    before: Option<Finding>,
) {
    let Some(url) = probes.next() else {
        return page.warn(&trouble.sentence(before.as_ref()));
    };
    fetch::probe(&url, move |found| match found {
        Some(found) if found.protocol.is_some() => {
            page.warn(&trouble.sentence(Some(&found)));
        }
        // The first answer is that of the address which the page gave.
        found => ask(page, trouble, probes, before.or(found)),
    });
}
