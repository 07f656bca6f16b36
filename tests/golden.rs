//! Emitted mechanisms as reviewers see them: a change of what the compiler writes is a change of these snapshots.
//!
//! Where the change is meant, `INSTA_UPDATE=always cargo test --test golden` writes all of them anew. What an earlier
//! snapshot of the list has is not shown again (`golden/shortened.rs`), and names have no hash of the texts.

#[path = "golden/shortened.rs"]
mod shortened;

use std::fs;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use gradmod::emit::File;
use gradmod::syntax;
use gradmod::transform::{
    Activity, Besides, HomeostatRequest, Medium, Mode, Parameters, Request, Selection, Source, TimeScheme, Unattended,
    homeostat, transform,
};
use shortened::Shortened;

const DIRECTIONS: NonZeroU16 = NonZeroU16::MIN.saturating_add(1);
const FORWARD: Mode = forward(Besides::Nothing);

const fn forward(besides: Besides) -> Mode {
    Mode::Forward { directions: DIRECTIONS, besides }
}

/// What is emitted for some fixtures.
struct Golden {
    /// Of the snapshot.
    name: &'static str,
    fixtures: &'static [&'static str],
    mode: Mode,
    selection: Selection,
    medium: Medium,
}

impl Golden {
    /// Each mechanism is a region of its own.
    const fn new(name: &'static str, fixtures: &'static [&'static str], mode: Mode) -> Self {
        Self { name, fixtures, mode, selection: Selection::Each, medium: Medium::Ground }
    }

    fn files(&self) -> Vec<File> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let sources = self.fixtures.iter().map(|fixture| {
            let path = PathBuf::from(fixture);
            let text = syntax::decode(&fs::read(folder.join(fixture)).unwrap());
            Ok(Source { path, text })
        });
        let request = Request {
            mode: self.mode,
            parameters: Parameters::All,
            selection: self.selection.clone(),
            scheme: TimeScheme::Implicit,
            medium: self.medium,
            transferred: Vec::new(),
        };
        let done = transform(sources, &request, &mut Unattended).unwrap();
        done.emitted.unwrap_or_else(|| panic!("{}: {:?}", self.name, done.messages)).files
    }
}

/// One for each part of what the compiler can say; the plainest first.
fn goldens() -> Vec<Golden> {
    let together = Golden {
        name: "switched",
        fixtures: &["channels/leakc.mod", "channels/capool.mod"],
        mode: FORWARD,
        selection: Selection::All,
        medium: Medium::Ground,
    };
    let layers = |golden| Golden { medium: Medium::Layers(DIRECTIONS), ..golden };
    vec![
        Golden::new("channel", &["channels/kdr.mod"], FORWARD),
        Golden::new("channel_online", &["channels/kdr.mod"], Mode::Online { directions: DIRECTIONS }),
        Golden::new("channel_reverse", &["channels/kdr.mod"], Mode::Reverse),
        Golden::new("channel_variable", &["channels/kdr.mod"], Mode::Variable),
        Golden::new("pool", &["channels/capool.mod"], FORWARD),
        Golden::new("pool_reverse", &["channels/capool.mod"], Mode::Reverse),
        together,
        Golden::new("synapse", &["channels/tmsyn.mod"], FORWARD),
        Golden::new("synapse_event_times", &["channels/tmsyn.mod"], forward(Besides::EventTimes)),
        Golden::new("synapse_reverse", &["channels/tmsyn.mod"], Mode::Reverse),
        Golden::new("ghk", &["channels/cal_ghk.mod"], FORWARD),
        Golden::new("table", &["channels/ktab.mod"], FORWARD),
        Golden::new("array", &["channels/karr.mod"], FORWARD),
        Golden::new("kinetics", &["channels/kmark.mod"], FORWARD),
        Golden::new("kinetics_reverse", &["channels/kmark.mod"], Mode::Reverse),
        Golden::new("pointer", &["channels/gap.mod"], FORWARD),
        Golden::new("pointed_variable", &["pointed/agate.mod"], forward(Besides::PointedVariables)),
        Golden::new("random", &["random/noiseclamp.mod"], FORWARD),
        layers(Golden::new("channel_layers", &["channels/kdr.mod"], FORWARD)),
        layers(Golden::new("channel_reverse_layers", &["channels/kdr.mod"], Mode::Reverse)),
    ]
}

#[test]
fn emitted_mechanisms() {
    let mut shortened = Shortened::default();
    for golden in goldens() {
        insta::assert_snapshot!(golden.name, shortened.text(golden.name, &golden.files()));
    }
    let measure = Source { path: PathBuf::from("measure"), text: "cai*cai + exp(v/10)".to_owned() };
    let request = HomeostatRequest { measure, activity: Activity::Mean, directions: DIRECTIONS };
    let emitted = homeostat(&request, &mut Unattended).unwrap().emitted.unwrap();
    insta::assert_snapshot!("homeostat", shortened.text("homeostat", &emitted.files));
}
