//! Which code reads a frame, and what it calls the numbers there.

/// Which code reads a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A mechanism at the place, in NEURON's run.
    Recorder,
    /// The loop over all places of a region, where each place has its numbers one after the other.
    Places,
    /// The loop over all places of a region, where each number has all places one after the other, so that a compiler
    /// takes several at once.
    Columns,
}

impl Reader {
    pub fn time_step(self) -> &'static str {
        match self {
            Self::Recorder => "dt",
            Self::Places | Self::Columns => "run->timestep",
        }
    }

    pub fn now(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_now[{index}]"),
            Self::Columns if index == 0 => "gm_head[voltage]".to_owned(),
            Self::Columns => format!("gm_head[{}]", self.from("now", column(index))),
            Self::Places => format!("gm_head[{}]", self.from("now", index)),
        }
    }

    pub fn next(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_next[{index}]"),
            Self::Columns if index == 0 => "gm_head[voltage + stride]".to_owned(),
            Self::Columns => format!("gm_head[{}]", self.from("next", column(index))),
            Self::Places => format!("gm_head[{}]", self.from("next", index)),
        }
    }

    pub fn fixed(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_fixed[{index}]"),
            Self::Places | Self::Columns => format!("run->fixed[{}]", self.from("fixed", index)),
        }
    }

    fn from(self, place: &str, index: usize) -> String {
        match (self, index) {
            (_, 0) => place.to_owned(),
            (Self::Columns, 1) => format!("{place} + n"),
            (Self::Columns, _) => format!("{place} + {index}*n"),
            _ => format!("{place} + {index}"),
        }
    }
}

/// Where a number of a gathered frame is among the region's columns: the voltages stand together, node by node.
pub fn column(index: usize) -> usize {
    index - 1
}
