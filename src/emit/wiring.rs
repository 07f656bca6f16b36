//! Whether a mechanism was wired to the end: what is not gives no number.

use super::declarations::settings;
use super::far::Far;
use super::region::{cable_pointer, ion_manifests, Writer};
use super::sources::unset;

impl Writer<'_> {
    /// Statements that look whether all is set that must be.
    pub fn look_wired(&self) -> Vec<String> {
        let mut lines: Vec<String> = (0..self.directions).map(|k| unset(&cable_pointer(k))).collect();
        lines.extend(self.untold().iter().map(|name| format!("IF ({name} < 0) {{ wired = 0 }}")));
        lines.extend(self.sources.look_wired());
        lines.extend(self.far.iter().flat_map(Far::look_wired));
        lines
    }

    /// The settings that have no value by themselves, as far as something depends on them.
    fn untold(&self) -> Vec<String> {
        let ions = ion_manifests(self.linearised);
        let is_start = |name: &String| self.linearised.ions.iter().any(|ion| {
            ion.written.iter().any(|written| ion.start(written) == *name)
        });
        let is_read = |name: &String| ions.iter().flat_map(|ion| &ion.starts).any(|(_, start)| start == name);
        let untold = settings(self.linearised).into_iter().filter(|setting| setting.untold);
        untold.map(|setting| setting.name).filter(|name| !is_start(name) || is_read(name)).collect()
    }
}
