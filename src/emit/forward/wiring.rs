//! Whether a mechanism was wired to the end: what is not gives no number.

use crate::emit::region::declarations::settings;
use crate::emit::region::description::ion_manifests;
use crate::emit::region::writer::Writer;

impl Writer<'_> {
    /// The settings that have no value by themselves, as far as something depends on them.
    pub(in crate::emit) fn untold(&self) -> Vec<String> {
        let ions = ion_manifests(self.linearised);
        let is_start = |name: &String| {
            self.linearised.ions.iter().any(|ion| ion.carried().any(|carried| ion.start(&carried) == *name))
        };
        let is_read = |name: &String| ions.iter().flat_map(|ion| &ion.starts).any(|(_, start)| start == name);
        let untold = settings(self.linearised).into_iter().filter(|setting| setting.untold);
        untold.map(|setting| setting.name).filter(|name| !is_start(name) || is_read(name)).collect()
    }
}
