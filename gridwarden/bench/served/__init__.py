"""The cameras `gridwarden bench looks` watches: what they show and when (`script`), pictures (`views`), servers."""
