//! Why no text can be made of a region.

#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    #[error("template: {0}")]
    Template(#[from] minijinja::Error),
    #[error("reverse mode needs the regions by name: --region NAME=MECH,...")]
    Switched,
}
