//! Text in the code pages that the IPWorks components name by number.

mod code_page;

pub use code_page::CodePage;
