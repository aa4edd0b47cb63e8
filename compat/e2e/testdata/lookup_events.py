import boto3

directory = boto3.client('identitystore')
store = 'd-906731adeb'
made = []
for i in range(150):
    user = directory.create_user(IdentityStoreId=store, UserName=f'person-{i}', DisplayName=f'Person {i}', Name={'GivenName': 'P', 'FamilyName': str(i)})
    made.append(user['UserId'])

trail = boto3.client('cloudtrail')
pages = trail.get_paginator('lookup_events').paginate(
    LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'CreateUser'}],
    PaginationConfig={'PageSize': 20})
found = [r['ResourceName'] for page in pages for event in page['Events'] for r in event['Resources'] if r['ResourceType'] == 'AWS::IdentityStore::User']
assert found == made[::-1], found

one = trail.lookup_events(LookupAttributes=[{'AttributeKey': 'ResourceName', 'AttributeValue': made[3]}])
assert [e['EventName'] for e in one['Events']] == ['CreateUser'] and 'NextToken' not in one, one
print('found', len(found))
