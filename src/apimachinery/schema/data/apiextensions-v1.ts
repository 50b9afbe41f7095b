/** Messages of `apiextensions.v1`: see `../parse.ts` for how they are written. */
export const apiextensionsV1 = `
ConversionRequest uid=1:s desiredAPIVersion=2:s objects=3:[]runtime.RawExtension
ConversionResponse uid=1:s convertedObjects=2:[]runtime.RawExtension result=3:meta.v1.Status
^ConversionReview request=1:ConversionRequest response=2:ConversionResponse
CustomResourceColumnDefinition name*=1:s type*=2:s format=3:s description=4:s priority=5:i jsonPath*=6:s
CustomResourceConversion strategy*=1:s webhook=2:WebhookConversion
^CustomResourceDefinition metadata=1:meta.v1.ObjectMeta|v spec*=2:CustomResourceDefinitionSpec|v status=3:CustomResourceDefinitionStatus|v
CustomResourceDefinitionCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s observedGeneration=6:l
^CustomResourceDefinitionList metadata=1:meta.v1.ListMeta|v items*=2:[]CustomResourceDefinition
CustomResourceDefinitionNames plural*=1:s singular=2:s shortNames=3:[]s|a kind*=4:s listKind=5:s categories=6:[]s|a
CustomResourceDefinitionSpec group*=1:s names*=3:CustomResourceDefinitionNames|v scope*=4:s versions*=7:[]CustomResourceDefinitionVersion|a conversion=9:CustomResourceConversion preserveUnknownFields=10:b
CustomResourceDefinitionStatus conditions=1:[]CustomResourceDefinitionCondition|m:type|w acceptedNames=2:CustomResourceDefinitionNames|v storedVersions=3:[]s|a|w observedGeneration=4:l
CustomResourceDefinitionVersion name*=1:s served*=2:b storage*=3:b deprecated=7:b deprecationWarning=8:s schema=4:CustomResourceValidation subresources=5:CustomResourceSubresources additionalPrinterColumns=6:[]CustomResourceColumnDefinition|a selectableFields=9:[]SelectableField|a
CustomResourceSubresourceScale specReplicasPath*=1:s statusReplicasPath*=2:s labelSelectorPath=3:s
CustomResourceSubresources status=1:CustomResourceSubresourceStatus scale=2:CustomResourceSubresourceScale
CustomResourceValidation openAPIV3Schema=1:JSONSchemaProps
ExternalDocumentation description=1:s url=2:s
JSON raw=1:y
JSONSchemaProps id=1:s $schema=2:s $ref=3:s description=4:s type=5:s format=6:s title=7:s default=8:JSON maximum=9:d exclusiveMaximum=10:b minimum=11:d exclusiveMinimum=12:b maxLength=13:l minLength=14:l pattern=15:s maxItems=16:l minItems=17:l uniqueItems=18:b multipleOf=19:d enum=20:[]JSON|a maxProperties=21:l minProperties=22:l required=23:[]s|a items=24:JSONSchemaPropsOrArray allOf=25:[]JSONSchemaProps|a oneOf=26:[]JSONSchemaProps|a anyOf=27:[]JSONSchemaProps|a not=28:JSONSchemaProps properties=29:{}JSONSchemaProps additionalProperties=30:JSONSchemaPropsOrBool patternProperties=31:{}JSONSchemaProps dependencies=32:{}JSONSchemaPropsOrStringArray additionalItems=33:JSONSchemaPropsOrBool definitions=34:{}JSONSchemaProps externalDocs=35:ExternalDocumentation example=36:JSON nullable=37:b x-kubernetes-preserve-unknown-fields=38:b x-kubernetes-embedded-resource=39:b x-kubernetes-int-or-string=40:b x-kubernetes-list-map-keys=41:[]s|a x-kubernetes-list-type=42:s x-kubernetes-map-type=43:s x-kubernetes-validations=44:[]ValidationRule|m:rule|p:merge:rule
JSONSchemaPropsOrArray schema=1:JSONSchemaProps jSONSchemas=2:[]JSONSchemaProps
JSONSchemaPropsOrBool allows=1:b schema=2:JSONSchemaProps
JSONSchemaPropsOrStringArray schema=1:JSONSchemaProps property=2:[]s
SelectableField jsonPath*=1:s
ServiceReference namespace*=1:s name*=2:s path=3:s port=4:i
ValidationRule rule*=1:s message=2:s messageExpression=3:s reason=4:s fieldPath=5:s optionalOldSelf=6:b
WebhookClientConfig url=3:s service=1:ServiceReference caBundle=2:y
WebhookConversion clientConfig=2:WebhookClientConfig conversionReviewVersions*=3:[]s|a
`;
