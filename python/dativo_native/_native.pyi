from typing import Any, Callable, Dict, List, Optional, Tuple

version: str

_Progress = Optional[Callable[[int, int, int], object]]

class Pass:
    def __new__(
        cls, type: str, config: str, progress: _Progress, n_threads: int, memory_bytes: int, views: bool,
        piece: Optional[str],
    ) -> Pass: ...
    def splits(self, target_bytes: int) -> str: ...
    def schema(self) -> object: ...
    def columns(self) -> List[Tuple[str, str, bool]]: ...
    def stream(self, requested_schema: object) -> object: ...
    def progress(self) -> Tuple[int, int, int]: ...
    def cancel(self) -> None: ...
    def error(self) -> Optional[Exception]: ...
    def report(self) -> Optional[str]: ...
    def rejects(self) -> List[Tuple[str, int, int, int, Optional[str], str, Optional[str], str]]: ...

def setup(
    make_error: Callable[..., Exception],
    on_log: Callable[[int, str, str], object],
    on_report: Callable[[str], object],
    plugins: bytes,
) -> None: ...
def write(
    library: str,
    config: str,
    source: object,  # a stream, or the pair of a schema and an array
    progress: _Progress,
    n_threads: int,
    memory_bytes: int,
) -> str: ...
def convert(
    reader: str,
    writer: Optional[str],
    output_path: Optional[str],
    overwrite: bool,
    allow_empty: bool,
    progress: _Progress,
    n_threads: int,
    memory_bytes: int,
    piece: Optional[str],
    columns: Optional[str],  # of all pieces
) -> Dict[str, Any]: ...
def run(path: str, allow_empty: bool, progress: _Progress, n_threads: int, memory_bytes: int) -> Dict[str, Any]: ...
def inspect(path: str, options: str, verify: bool) -> str: ...
def find_files(
    names: Tuple[bytes, ...],
    endpoint: Optional[str],
    region: Optional[str],
    profile: Optional[str],
    ca_file: Optional[str],
    access_key_id: Optional[str],
    secret_access_key: Optional[str],
    session_token: Optional[str],
    anonymous: bool,
    path_style: int,
) -> List[bytes]: ...
def find_types(config: str) -> str: ...
def is_parquet(path: bytes) -> bool: ...
