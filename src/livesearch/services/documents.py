"""Documents, one at a time."""

from livesearch.domain import Collection, Document
from livesearch.errors import DocumentNotFoundError
from livesearch.services.collections import require_collection
from livesearch.services.transactions import Transactions
from livesearch.store.documents import find_document


class DocumentService:
    """Looks documents up."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, name: str, key: str) -> tuple[Collection, Document]:
        """A document and the collection it stands in.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document has the key.
        """
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            document = await find_document(conn, collection.id, key)
        if document is None:
            raise DocumentNotFoundError(name, key)
        return collection, document
