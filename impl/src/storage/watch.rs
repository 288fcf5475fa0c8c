//! A test aid: what the disk is asked, in which order.
//!
//! What a flush did shows only when power fails. So a test looks at whether it was asked for, and when; the calls that it
//! hears of are those beside which they stand, and nowhere else is a file flushed.

/// What the disk is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// To take bytes.
    Write,
    /// To make them durable.
    Sync,
    /// To give a file another name.
    Rename,
}

#[cfg(not(test))]
pub(super) fn asked(_: Ask, _: &std::path::Path) {}

#[cfg(test)]
pub(super) use watching::{asked, during, watched};

#[cfg(test)]
mod watching {
    use super::Ask;
    use std::cell::RefCell;
    use std::path::{Path, PathBuf};
    use std::rc::Rc;

    type Watcher = Rc<RefCell<dyn FnMut(Ask, &Path)>>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Tells whoever watches on this thread, just before it is done.
    pub fn asked(ask: Ask, path: &Path) {
        let watcher = WATCHER.with_borrow(Clone::clone);
        if let Some(watcher) = watcher {
            watcher.borrow_mut()(ask, path);
        }
    }

    /// Does `work`; `watcher` hears what it asks of the disk.
    pub fn watched(watcher: impl FnMut(Ask, &Path) + 'static, work: impl FnOnce()) {
        WATCHER.set(Some(Rc::new(RefCell::new(watcher))));
        work();
        WATCHER.set(None);
    }

    /// What `work` asks of the disk.
    pub fn during(work: impl FnOnce()) -> Vec<(Ask, PathBuf)> {
        let all = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&all);
        watched(move |ask, path| noted.borrow_mut().push((ask, path.to_owned())), work);
        all.take()
    }
}
