//! File level: what is no list of declarations is here.

use super::{Context, Parse, Parser};
use crate::syntax::ast::{
    Argument, Block, BlockKind, Item, LocalDefinition, Name, Number, Opaque, Signature, Statement,
};
use crate::syntax::span::Span;
use crate::syntax::token::{Token, TokenKind};

/// A block takes more stack than an expression.
const BLOCK_DEPTH: usize = 4;

impl Parser<'_> {
    pub(super) fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while !self.at_end() {
            let start = self.token.span.start;
            self.depth = 0;
            self.context = Context::Other;
            match self.item() {
                Ok(item) => items.push(item),
                Err(failure) => {
                    if !self.report(failure) {
                        break;
                    }
                    if self.token.span.start == start {
                        self.skip_token();
                    }
                    self.skip_block();
                }
            }
        }
        items
    }

    fn item(&mut self) -> Parse<Item> {
        let keyword = match self.token.kind {
            TokenKind::Keyword(keyword) => keyword,
            TokenKind::Name => return self.old_block(),
            _ => return Err(self.expected("a block (such as NEURON, STATE or BREAKPOINT)")),
        };
        match keyword {
            "TITLE" => {
                let line = self.lexer.line();
                self.advance();
                Ok(Item::Title(self.opaque(line)))
            }
            "COMMENT" => self.opaque_lines("ENDCOMMENT").map(Item::Comment),
            "VERBATIM" => self.opaque_lines("ENDVERBATIM").map(Item::Verbatim),
            "UNITSON" | "UNITSOFF" => {
                let span = self.advance().span;
                Ok(Item::UnitsSwitch(keyword == "UNITSON", span))
            }
            "DEFINE" => self.define(),
            "INCLUDE" => self.include(),
            "LOCAL" => {
                let start = self.advance().span;
                let names = self.locals()?;
                Ok(Item::Local(names, start.to(self.previous.span)))
            }
            "NEURON" | "UNITS" | "PARAMETER" | "CONSTANT" | "ASSIGNED" | "STATE" | "INDEPENDENT" => {
                self.declarations(keyword)
            }
            "FUNCTION_TABLE" => {
                self.advance();
                self.signature().map(Item::FunctionTable)
            }
            _ => self.block(keyword).map(Item::Block),
        }
    }

    fn define(&mut self) -> Parse<Item> {
        self.advance();
        let name = self.name("the name to define")?;
        let minus = self.at("-").then(|| self.advance());
        if self.token.kind != TokenKind::Integer {
            return Err(self.expected_after("an integer"));
        }
        let mut number = self.number()?;
        if let Some(minus) = minus {
            number =
                Number { text: format!("-{}", number.text), value: -number.value, span: minus.span.to(number.span) };
        }
        self.defines.insert(self.lexer.text(name.span), number.clone());
        Ok(Item::Define(name, number))
    }

    fn include(&mut self) -> Parse<Item> {
        self.advance();
        if self.token.kind != TokenKind::String {
            return Err(self.expected_after("a file name in double quotes"));
        }
        let token = self.advance();
        let inside = Span::new(token.span.start + 1, token.span.end - 1);
        Ok(Item::Include(self.opaque(inside)))
    }

    /// Blocks of older NEURON versions.
    fn old_block(&mut self) -> Parse<Item> {
        match self.text(self.token) {
            "TERMINAL" => {
                let start = self.advance();
                self.body(BlockKind::Terminal, Context::Other, start, "TERMINAL").map(Item::Block)
            }
            "PLOT" | "SENS" => {
                let token = self.token;
                let line = self.lexer.line();
                self.advance();
                Ok(Item::Ignored(self.named(token), self.opaque(line)))
            }
            "STEPPED" | "PARTIAL" | "MATCH" => {
                let token = self.advance();
                let text = self.braced_text(self.text(token))?;
                Ok(Item::Ignored(self.named(token), text))
            }
            word => {
                let message = format!("`{word}` begins no block");
                let close = super::recovery::near_block_word(word);
                let mut failure = self.expected("a block (such as NEURON, STATE or BREAKPOINT)");
                failure.diagnostic.message = message;
                failure.diagnostic.help = close.map(|word| format!("did you mean {word}?"));
                Err(failure)
            }
        }
    }

    /// The text between braces that hold no statements.
    pub(super) fn braced_text(&mut self, owner: &str) -> Parse<Opaque> {
        let start = self.expect("{", &format!("to open {owner}"))?.span;
        let mut depth = 1_usize;
        while depth > 0 {
            if self.at_end() || self.at_block_word() {
                return Err(self.unclosed(owner, start));
            }
            match self.advance().kind {
                TokenKind::Symbol("{") => depth += 1,
                TokenKind::Symbol("}") => depth -= 1,
                _ => {}
            }
        }
        let text = self.lexer.text(Span::new(start.end, self.previous.span.start));
        let from = start.end + text.len() - text.trim_start().len();
        Ok(self.opaque(Span::new(from, from + text.trim().len())))
    }

    fn block(&mut self, keyword: &'static str) -> Parse<Block> {
        let start = self.token;
        let other = Context::Other;
        let (kind, context) = match keyword {
            "INITIAL" => (self.plain(BlockKind::Initial), other),
            "BREAKPOINT" | "EQUATION" => (self.plain(BlockKind::Breakpoint), other),
            "CONSTRUCTOR" => (self.plain(BlockKind::Constructor), other),
            "DESTRUCTOR" => (self.plain(BlockKind::Destructor), other),
            "DERIVATIVE" => (BlockKind::Derivative(self.block_name()?), Context::Equations),
            "DISCRETE" => (BlockKind::Discrete(self.block_name()?), other),
            "KINETIC" => (BlockKind::Kinetic(self.block_name()?, self.solve_for()?), Context::Kinetic),
            "LINEAR" => (BlockKind::Linear(self.block_name()?, self.solve_for()?), Context::Equations),
            "NONLINEAR" => (BlockKind::Nonlinear(self.block_name()?, self.solve_for()?), Context::Equations),
            "PROCEDURE" | "FUNCTION" => {
                self.advance();
                let signature = self.signature()?;
                let function = keyword == "FUNCTION";
                let kind = if function { BlockKind::Function } else { BlockKind::Procedure };
                (kind(signature), Context::Callable)
            }
            "NET_RECEIVE" => {
                self.advance();
                (BlockKind::NetReceive(self.arguments()?), Context::NetReceive)
            }
            "BEFORE" | "AFTER" => {
                self.advance();
                let TokenKind::Keyword("BREAKPOINT" | "SOLVE" | "INITIAL" | "STEP") = self.token.kind else {
                    return Err(self.expected_after("BREAKPOINT, SOLVE, INITIAL or STEP"));
                };
                let token = self.advance();
                (BlockKind::BeforeAfter(keyword == "BEFORE", self.named(token)), other)
            }
            _ => return Err(self.expected("a block (such as NEURON, STATE or BREAKPOINT)")),
        };
        self.body(kind, context, start, keyword)
    }

    fn plain(&mut self, kind: BlockKind) -> BlockKind {
        self.advance();
        kind
    }

    fn block_name(&mut self) -> Parse<Name> {
        self.advance();
        self.name("the name of the block")
    }

    fn solve_for(&mut self) -> Parse<Vec<Name>> {
        if self.accept("SOLVEFOR") { self.names("the name of a state") } else { Ok(Vec::new()) }
    }

    fn body(&mut self, kind: BlockKind, context: Context, start: Token, keyword: &str) -> Parse<Block> {
        self.context = context;
        let body = self.braced(keyword, start.span)?;
        Ok(Block { kind, body, span: start.span.to(self.previous.span) })
    }

    /// `{ statements }`
    pub(super) fn braced(&mut self, owner: &str, start: Span) -> Parse<Vec<Statement>> {
        self.expect("{", &format!("to open {owner}"))?;
        self.deeper(BLOCK_DEPTH)?;
        let body = self.statements(owner, start)?;
        self.depth -= BLOCK_DEPTH;
        Ok(body)
    }

    /// `name(arguments) (unit)`
    fn signature(&mut self) -> Parse<Signature> {
        let name = self.name("a name")?;
        let arguments = self.arguments()?;
        let unit = self.unit()?;
        Ok(Signature { name, arguments, unit })
    }

    pub(super) fn arguments(&mut self) -> Parse<Vec<Argument>> {
        self.expect("(", "before the arguments")?;
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            let name = self.name("the name of an argument")?;
            let unit = self.unit()?;
            arguments.push(Argument { name, unit });
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")", "to close the arguments")?;
        Ok(arguments)
    }

    /// `a, b[3]` after LOCAL
    pub(super) fn locals(&mut self) -> Parse<Vec<LocalDefinition>> {
        let mut locals = Vec::new();
        loop {
            let name = self.name("the name of a LOCAL variable")?;
            let length = self.length()?;
            locals.push(LocalDefinition { name, length });
            if !self.accept(",") {
                return Ok(locals);
            }
        }
    }
}
